"""Red giants that pulsate slowly, and the supergiants that hide in soot."""

from __future__ import annotations

import numpy as np

from astromer.synthetic.processes import (
    NO_PERIOD,
    Signal,
    damped_oscillation,
    damped_walk,
    event_times,
    log_normal,
    log_uniform,
    normal_within,
    shots,
    wander,
)


def mira(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Miras: 2.5 mag and more in V, no two cycles alike.

    Periods and amplitudes: Templeton, Mattei & Willson (2005, AJ 130, 776), Samus et al. (2017,
    GCVS 5.1); asymmetry: Lebzelter (2011, AN 332, 140); wandering periods: Eddington & Plakidis
    (1929, MNRAS 90, 65). A few have periods that change steadily, as R Hydrae's.
    """
    period = normal_within(300, 95, 95, 620, rng)
    amplitude = normal_within(2.8 + period / 250, 1.0, 2.0, 7.5, rng)
    cycle = (mjd - mjd[0]) / period
    phase = cycle + rng.random() + rng.uniform(0.01, 0.05) * wander(mjd, 3 * period, rng)
    if rng.random() < 0.03:
        phase = phase + rng.normal(0, 0.012) * cycle**2
    rise = normal_within(0.46 - (period - 300) / 4000, 0.05, 0.28, 0.55, rng)
    shape = _skewed_cosine(phase, rise)
    if rng.random() < 0.25:  # a hump on the way up
        within = phase - np.floor(phase)
        hump = np.exp(-(((within - 0.45 * rise) / 0.08) ** 2))
        shape -= rng.uniform(0.1, 0.35) * hump
    # Minima are broad, maxima sharp, in most of them.
    shape += rng.uniform(-0.1, 0.3) * (1 - shape**2)
    changes = 1 + rng.uniform(0.03, 0.14) * wander(mjd, period, rng)
    mean = rng.uniform(0.05, 0.35) * wander(mjd, 2 * period, rng)
    return 0.5 * amplitude * changes * shape + mean, period


def _skewed_cosine(phase: np.ndarray, rise: float) -> np.ndarray:
    """float64 [n], faintest (1) at phase 0, brightest (-1) at phase ``rise``."""
    within = phase - np.floor(phase)
    even = np.where(within < rise, within / rise, 1 + (within - rise) / (1 - rise))
    return np.cos(np.pi * even)


def semiregular(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Semiregular giants: one or two damped periods, one in three a long secondary one as well.

    Kiss et al. (1999, A&A 346, 542), Wood et al. (1999, IAUS 191, 151); noise of the phases:
    Bedding et al. (2005, MNRAS 361, 1375).
    """
    period = log_normal(110, 0.25, rng)
    size = log_uniform(0.06, 0.7, rng)
    magnitudes = size * damped_oscillation(mjd, period, period * log_uniform(3, 40, rng), rng).real
    if rng.random() < 0.6:
        other = period * rng.uniform(0.46, 0.6)
        magnitudes += (
            size
            * rng.uniform(0.2, 0.8)
            * damped_oscillation(mjd, other, other * log_uniform(3, 25, rng), rng).real
        )
    if rng.random() < 0.33:
        phase = mjd / (period * rng.uniform(7, 11)) + rng.random()
        magnitudes += 0.5 * log_uniform(0.1, 0.8, rng) * _skewed_cosine(phase, 0.6)
    return magnitudes, period


def small_amplitude_red_giant(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """OGLE small-amplitude red giants: some modes of 10 to 100 days, millimagnitudes to hundredths.

    Soszynski et al. (2004, AcA 54, 129).
    """
    period = log_uniform(12, 90, rng)
    size = log_uniform(0.005, 0.05, rng)
    magnitudes = np.zeros(len(mjd))
    ratios = np.array([1.0, 0.72, 0.52])[: int(rng.integers(2, 4))]
    for part, ratio in enumerate(ratios * (1 + 0.03 * rng.standard_normal(len(ratios)))):
        mode = period * (ratio if part else 1.0)
        magnitudes += (
            size
            * (1.0 if part == 0 else rng.uniform(0.3, 0.9))
            * damped_oscillation(mjd, mode, mode * log_uniform(8, 40, rng), rng).real
        )
    if rng.random() < 0.3:
        phase = mjd / (period * rng.uniform(6, 12)) + rng.random()
        magnitudes += log_uniform(0.01, 0.08, rng) * _skewed_cosine(phase, 0.6)
    return magnitudes, period


def r_coronae_borealis(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """R Coronae Borealis stars: sudden fades by up to 8 mag, slow returns, small pulsations.

    Clayton (1996, PASP 108, 225; 2012, JAVSO 40, 539).
    """
    starts = event_times(mjd, log_uniform(250, 2500, rng), 1.0, 500.0, rng)
    depths = np.minimum(rng.uniform(0.7, 8.0, len(starts)), 0.7 + rng.exponential(4, len(starts)))
    fades = shots(mjd, starts, depths, rng.uniform(8, 40), log_uniform(40, 300, rng), 4)
    pulsation = log_uniform(0.03, 0.25, rng)
    period = rng.uniform(35, 70)
    wobble = damped_oscillation(mjd, period, 6 * period, rng).real
    return 9 * np.tanh(fades / 9) + pulsation * wobble, NO_PERIOD


def yellow_supergiant(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Semiregular supergiants (SRc, SRd, L): slow, shallow, with little memory.

    Kiss, Szabo & Bedding (2006, MNRAS 372, 1721): a broad mode above noise that grows with period.
    """
    period = log_uniform(60, 900, rng)
    size = log_uniform(0.05, 0.35, rng)
    mode = damped_oscillation(mjd, period, period * log_uniform(0.7, 5, rng), rng).real
    noise = damped_walk(mjd, period * rng.uniform(1, 4), rng)
    return size * (mode + rng.uniform(0.3, 1.0) * noise), period
