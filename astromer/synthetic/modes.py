"""Stars that pulsate in many modes at once: delta Scuti stars and their hotter kin.

The period of each is that of its strongest mode.
"""

from __future__ import annotations

import numpy as np

from astromer.synthetic.processes import (
    Signal,
    fourier_series,
    log_normal,
    log_uniform,
    waves,
)


def high_amplitude_delta_scuti(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """High-amplitude delta Scuti and SX Phoenicis stars; two in five have the first overtone, too.

    Shapes and amplitudes: McNamara (2000, ASP 210, 373), Pietrukowicz et al. (2020, AcA 70, 241);
    period ratio 0.76 to 0.78: Petersen & Christensen-Dalsgaard (1996, A&A 312, 463).
    """
    period = log_normal(0.095, 0.17, rng)
    period = min(max(period, 0.035), 0.25)
    amplitude = log_uniform(0.2, 0.9, rng)
    steepness = rng.uniform(0.25, 0.42) * min(1.0, 0.6 + 0.6 * amplitude)
    phi_21 = 4.05 + 0.2 * rng.standard_normal()
    phi_31 = 1.9 + 0.35 * rng.standard_normal()
    phase = mjd / period + rng.random()
    shape = fourier_series(
        phase, [steepness, steepness**2 * 1.2, steepness**3], [phi_21, phi_31, 6.0]
    )
    magnitudes = amplitude * shape
    if rng.random() < 0.4:
        frequency, other = 1 / period, 1 / (period * rng.uniform(0.762, 0.778))
        second = 0.5 * amplitude * log_uniform(0.05, 0.6, rng)
        magnitudes += waves(
            mjd,
            np.array([other, frequency + other, other - frequency]),
            second * np.array([1.0, 0.25, 0.2]),
            rng,
        )
    return magnitudes, period


def delta_scuti(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Low-amplitude delta Scuti stars: p modes of 4 to 50 a day (Breger 2000, ASP 210, 3).

    Numbers of modes and amplitudes: Bowman & Kurtz (2018, MNRAS 476, 3169).
    """
    return _modes(mjd, rng, log_uniform(5, 30, rng), 0.35, log_uniform(0.004, 0.05, rng), 12)


def gamma_doradus(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """gamma Doradus stars: g modes of 0.3 to 3 days, close to one another.

    Kaye et al. (1999, PASP 111, 840), Li et al. (2020, MNRAS 491, 3586).
    """
    return _modes(mjd, rng, log_uniform(0.4, 2.8, rng), 0.1, log_uniform(0.004, 0.03, rng), 10)


def slowly_pulsating_b(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Slowly pulsating B stars: g modes of 0.5 to 4 days (Waelkens 1991, A&A 246, 453).

    Spacing and amplitudes: Pedersen et al. (2021, Nature Astronomy 5, 715).
    """
    return _modes(mjd, rng, log_uniform(0.3, 1.8, rng), 0.15, log_uniform(0.004, 0.03, rng), 8)


def beta_cephei(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """beta Cephei stars: a few p modes of 2 to 8 hours (Stankov & Handler 2005, ApJS 158, 193)."""
    return _modes(mjd, rng, log_uniform(3.5, 11, rng), 0.06, log_uniform(0.008, 0.12, rng), 5)


def _modes(
    mjd: np.ndarray,
    rng: np.random.Generator,
    strongest: float,
    spread: float,
    amplitude: float,
    most: int,
) -> Signal:
    """Modes around the strongest, whose amplitudes fall geometrically, and its first harmonic.

    Args:
        strongest: its frequency [1/day].
        spread: standard deviation of the logarithm of the other frequencies over it.
        amplitude: half of its full range [mag].
        most: modes at most.
    """
    number = int(rng.integers(1, most + 1))
    frequencies = strongest * np.exp(spread * rng.standard_normal(number + 1))
    frequencies[0], frequencies[-1] = strongest, 2 * strongest
    amplitudes = amplitude * rng.uniform(0.4, 0.9) ** np.arange(number + 1)
    amplitudes[-1] = amplitude * rng.uniform(0, 0.15)
    return waves(mjd, frequencies, amplitudes, rng), 1 / strongest
