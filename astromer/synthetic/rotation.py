"""Stars that vary because they turn: spots that come and go, spots that stay, and flares."""

from __future__ import annotations

import numpy as np

from astromer.synthetic.processes import (
    NO_PERIOD,
    Signal,
    damped_oscillation,
    event_times,
    fourier_series,
    log_normal,
    log_uniform,
    shots,
    wander,
)


def spotted(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Active stars (BY Draconis, RS Canum Venaticorum): spots that evolve, and cycles of years.

    Periods: McQuillan, Mazeh & Aigrain (2014, ApJS 211, 24) and active binaries; lifetimes of
    spots: Giles, Collier Cameron & Haywood (2017, MNRAS 472, 1618). The two harmonics of the
    rotation are quasi-periodic, as Gaussian processes of spots have them (Angus et al. 2018,
    MNRAS 474, 2094).
    """
    period = log_normal(6.0, 0.55, rng)
    period = min(max(period, 0.2), 120.0)
    lifetime = max(period * log_uniform(2, 80, rng), 15.0)
    size = log_uniform(0.008, 0.12, rng)
    curve = damped_oscillation(mjd, period, lifetime, rng).real
    second = damped_oscillation(mjd, period / 2, lifetime, rng).real
    magnitudes = size * (curve + rng.uniform(0.1, 0.7) * second)
    if rng.random() < 0.6:
        magnitudes += size * rng.uniform(0.3, 1.2) * wander(mjd, log_uniform(300, 2500, rng), rng)
    return magnitudes, period


def chemically_peculiar(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """alpha2 Canum Venaticorum stars: spots fixed by the magnetic field, one or two waves a turn.

    Bernhard, Huemmerich & Paunzen (2015, AN 336, 981), Netopil et al. (2017, MNRAS 468, 2745).
    """
    period = min(max(log_normal(3.0, 0.3, rng), 0.5), 100.0)
    ratio = log_uniform(0.05, 0.6, rng)
    if rng.random() < 0.25:
        ratio = rng.uniform(0.8, 3.0)  # two waves
    shape = fourier_series(
        mjd / period + rng.random(),
        [ratio, ratio * rng.uniform(0, 0.2)],
        2 * np.pi * rng.random(2),
    )
    return log_uniform(0.008, 0.12, rng) * shape, period


def flaring(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """UV Ceti stars: flares of minutes to hours on spotted red dwarfs, more small than large ones.

    Energies by a power law (Lacy, Moffett & Evans 1976, ApJS 30, 85); profiles: Davenport et al.
    (2014, ApJ 797, 122), two exponentials after a fast rise.
    """
    interval = log_uniform(0.15, 8.0, rng)
    starts = event_times(mjd, interval, 1.0, 1.0, rng)
    heights = np.minimum(0.02 * rng.pareto(1.0, len(starts)) + 0.02, 40.0)
    decay = log_uniform(0.005, 0.05, rng)
    flare = shots(mjd, starts, heights, 0.15 * decay, decay, 2)
    flare += 0.3 * shots(mjd, starts, heights, 0.15 * decay, 5 * decay, 2)
    period = log_uniform(0.2, 30, rng)
    spots = damped_oscillation(mjd, period, 40 * period, rng).real
    rotates = rng.random() < 0.7
    magnitudes = rng.uniform(0.004, 0.04) * rotates * spots - 2.5 * np.log10(1 + flare)
    return magnitudes, period if rotates else NO_PERIOD
