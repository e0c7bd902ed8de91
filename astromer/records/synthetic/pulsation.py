"""Radial pulsators: Fourier series with the phases that observed stars have."""

from __future__ import annotations

import numpy as np

# Amplitude ratios R_k1 and phase differences phi_k1 [rad] of a cosine series in V, k = 2, 3, ...
# RR Lyrae: after Kovacs & Walker (2001) and the OGLE catalogues.
RRAB_RATIOS = np.array([0.48, 0.34, 0.22, 0.14, 0.09, 0.05])
RRAB_PHASES = np.array([3.95, 1.95, 6.10, 4.05, 2.00, 0.10])
RRC_RATIOS = np.array([0.12, 0.07])
RRC_PHASES = np.array([4.70, 3.00])
DSCT_RATIOS = np.array([0.25, 0.08])
DSCT_PHASES = np.array([4.00, 2.00])

# Classical Cepheids along the Hertzsprung progression (Simon & Lee 1981): the bump of stars
# near ten days shows as a dip of R_21 and a jump of the phases.
CEPHEID_LOG_PERIODS = np.array([0.4, 0.7, 0.9, 1.0, 1.1, 1.3, 1.7])
CEPHEID_RATIOS = np.array(
    [
        [0.45, 0.42, 0.28, 0.15, 0.18, 0.38, 0.40],
        [0.22, 0.18, 0.09, 0.08, 0.12, 0.22, 0.24],
        [0.11, 0.08, 0.05, 0.05, 0.07, 0.12, 0.13],
    ]
)
CEPHEID_PHASES = np.array(
    [
        [4.05, 4.40, 4.75, 5.20, 4.30, 4.35, 4.55],
        [1.90, 2.70, 3.30, 4.60, 1.20, 1.90, 2.40],
        [5.90, 6.90, 7.90, 8.80, 4.30, 5.60, 6.30],
    ]
)


def fourier_series(phase: np.ndarray, ratios: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """A pulsation of unit peak-to-peak amplitude.

    Args:
        phase: float [n], cycles.
        ratios: float [k - 1], amplitudes of the harmonics over the fundamental's.
        phases: float [k - 1], phase differences of the harmonics [rad].

    Returns:
        float64 [n], magnitudes around a mean of 0; the fundamental is brightest near phase 0.5.
    """
    grid = _series(np.linspace(0, 1, 200, endpoint=False), ratios, phases)
    return _series(phase, ratios, phases) / np.ptp(grid)


def _series(phase: np.ndarray, ratios: np.ndarray, phases: np.ndarray) -> np.ndarray:
    angle = 2 * np.pi * phase
    series = np.cos(angle)
    for harmonic, (ratio, offset) in enumerate(zip(ratios, phases, strict=True), start=2):
        series = series + ratio * np.cos(harmonic * angle + offset)
    return series


def rr_lyrae_ab(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of an RRab star around its mean; a third show the Blazhko effect."""
    period = float(np.clip(rng.normal(0.58, 0.07), 0.40, 0.85))
    # Period-amplitude relation: long-period RRab stars pulsate less and more like a sine.
    amplitude = float(np.clip(1.0 - 2.6 * (period - 0.58) + rng.normal(0, 0.1), 0.3, 1.35))
    phase = mjd / period + rng.random()
    ratios = RRAB_RATIOS * np.power(min(1.0, 0.5 + 0.5 * amplitude), np.arange(1, 7))
    if rng.random() < 0.33:
        blazhko = 2 * np.pi * (mjd / rng.uniform(20, 120) + rng.random())
        amplitude = amplitude * (1 + rng.uniform(0.05, 0.3) * np.cos(blazhko))
        phase = phase + rng.uniform(0.0, 0.02) * np.sin(blazhko)
    phases = RRAB_PHASES + rng.normal(0, 0.06, 6)
    return amplitude * fourier_series(phase, ratios, phases)


def rr_lyrae_c(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of an RRc star around its mean."""
    period = float(np.clip(rng.normal(0.33, 0.04), 0.24, 0.45))
    phases = RRC_PHASES + rng.normal(0, 0.3, 2)
    return rng.uniform(0.25, 0.55) * _pulsate(mjd, period, RRC_RATIOS, phases, rng)


def delta_scuti(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a high-amplitude delta Scuti star around its mean."""
    period = np.exp(rng.uniform(np.log(0.05), np.log(0.2)))
    phases = DSCT_PHASES + rng.normal(0, 0.2, 2)
    magnitudes = rng.uniform(0.15, 0.6) * _pulsate(mjd, period, DSCT_RATIOS, phases, rng)
    if rng.random() < 0.4:  # first overtone: period ratio 0.77
        overtone = _pulsate(mjd, 0.77 * period, DSCT_RATIOS[:1], phases[:1], rng)
        magnitudes = magnitudes + rng.uniform(0.05, 0.2) * overtone
    return magnitudes


def cepheid(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a fundamental-mode classical Cepheid around its mean."""
    log_period = float(np.clip(rng.gamma(3.0, 0.14) + 0.4, 0.4, 1.7))
    ratios = _at(CEPHEID_RATIOS, log_period) * rng.uniform(0.85, 1.15)
    phases = _at(CEPHEID_PHASES, log_period) + rng.normal(0, 0.1, len(CEPHEID_PHASES))
    amplitude = rng.uniform(0.4, 1.0) * (0.75 if 0.9 < log_period < 1.1 else 1.0)
    return amplitude * _pulsate(mjd, 10**log_period, ratios, phases, rng)


def _at(table: np.ndarray, log_period: float) -> np.ndarray:
    return np.array([np.interp(log_period, CEPHEID_LOG_PERIODS, row) for row in table])


def _pulsate(
    mjd: np.ndarray,
    period: float,
    ratios: np.ndarray,
    phases: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    return fourier_series(mjd / period + rng.random(), ratios, phases)
