"""Objects without a clock, or with one that slips: young stars, Be stars, active nuclei."""

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
    shots,
    wander,
    waves,
)


def t_tauri(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Classical T Tauri stars that accrete at random, a third with traces of the rotation.

    Time scales and amplitudes: Cody et al. (2014, AJ 147, 82), Venuti et al. (2015, A&A 581, A66).
    """
    size = log_uniform(0.05, 0.5, rng)
    magnitudes = size * damped_walk(mjd, log_uniform(0.8, 15, rng), rng)
    magnitudes += size * rng.uniform(0.1, 0.8) * wander(mjd, log_uniform(60, 1000, rng), rng)
    if rng.random() > 0.35:
        return magnitudes, NO_PERIOD
    period = log_uniform(1.5, 12, rng)
    turning = damped_oscillation(mjd, period, period * log_uniform(4, 60, rng), rng).real
    return magnitudes + size * rng.uniform(0.7, 1.5) * turning, period


def dipper(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Dippers (AA Tauri): dust of the inner disc crosses the star, each time in another way.

    Two thirds once a rotation of 2 to 12 days, the rest at random (Alencar et al. 2010, A&A 519,
    A88; Stauffer et al. 2015, AJ 149, 130).
    """
    depth = log_uniform(0.1, 1.4, rng)
    noise = rng.uniform(0.01, 0.06) * damped_walk(mjd, 2.0, rng)
    noise += 0.1 * wander(mjd, 200.0, rng)
    period = log_uniform(2, 12, rng)
    if rng.random() < 0.33:
        starts = event_times(mjd, period, 1.0, 20.0, rng)
        depths = rng.exponential(0.7 * depth, len(starts))
        width = rng.uniform(0.2, 1.0)
        return noise + np.minimum(shots(mjd, starts, depths, width, width, 3), 4.0), NO_PERIOD
    cycle = (mjd - mjd[0]) / period + rng.random()
    turn = cycle.astype(np.int64)
    turns = int(turn[-1]) + 1
    depths = depth * np.minimum(rng.gamma(1.3, 0.6, turns), 2.5)
    width = rng.uniform(0.07, 0.16) * np.exp(0.25 * rng.standard_normal(turns))
    centre = 0.5 + 0.06 * rng.standard_normal(turns)
    distance = (cycle - turn - centre[turn]) / width[turn]
    # Whole months without dips are common.
    active = np.clip(0.7 + 0.8 * wander(mjd, 25 * period, rng), 0, 1)
    return noise + active * depths[turn] * np.exp(-0.5 * distance**2), period


def burster(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Accretion bursts of days to months, the rarest and longest as EX Lupi's.

    Stauffer et al. (2014, AJ 147, 83), Audard et al. (2014, Protostars and Planets VI, 387).
    """
    duration = log_uniform(0.5, 120, rng)
    interval = duration * log_uniform(2.5, 15, rng)
    starts = event_times(mjd, interval, 1.0, 10 * duration, rng)
    heights = np.minimum(rng.exponential(log_uniform(0.15, 3.0, rng), len(starts)), 15.0)
    flux = 1 + shots(mjd, starts, heights, rng.uniform(0.15, 0.5) * duration, duration)
    flicker = log_uniform(0.02, 0.15, rng) * damped_walk(mjd, rng.uniform(1, 10), rng)
    return flicker - 2.5 * np.log10(flux), NO_PERIOD


def ux_orionis(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """UX Orionis stars: Herbig Ae stars that clouds of dust fade by up to 3 mag for days to months.

    Herbst & Shevchenko (1999, AJ 118, 1043), Grinin et al. (1991, Ap&SS 186, 283). Scattered light
    sets the deepest level.
    """
    duration = log_uniform(3, 60, rng)
    starts = event_times(mjd, duration * log_uniform(2, 12, rng), 1.0, 6 * duration, rng)
    depths = rng.exponential(rng.uniform(0.4, 2.0), len(starts))
    fades = shots(mjd, starts, depths, rng.uniform(0.3, 1.2) * duration, duration)
    deepest = rng.uniform(1.5, 3.2)
    flux = 10 ** (-0.4 * fades) + 10 ** (-0.4 * deepest)
    slow = rng.uniform(0.02, 0.3) * wander(mjd, log_uniform(100, 1500, rng), rng)
    return slow - 2.5 * np.log10(flux), NO_PERIOD


def be_star(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Be stars: discs that fill within weeks and drain within months, and short pulsations.

    Brighter where the disc is seen from its pole, fainter where edge on (Mennickent et al. 2002,
    A&A 393, 887; Labadie-Bartz et al. 2017, AJ 153, 252; Haubois et al. 2012, ApJ 756, 156).
    """
    decay = log_uniform(10, 250, rng)
    starts = event_times(mjd, decay * log_uniform(1.5, 15, rng), 1.0, 4 * decay, rng)
    heights = log_uniform(0.04, 0.35, rng) * rng.gamma(2.0, 0.5, len(starts))
    outbursts = shots(mjd, starts, heights, decay * rng.uniform(0.1, 0.8), decay)
    sign = 1.0 if rng.random() < 0.2 else -1.0
    magnitudes = sign * outbursts
    magnitudes += rng.uniform(0.01, 0.15) * wander(mjd, log_uniform(300, 2000, rng), rng)
    if rng.random() > 0.6:
        return magnitudes, NO_PERIOD
    frequency = log_uniform(0.6, 3.0, rng)
    frequencies = frequency * np.array([1.0, 1 + 0.05 * rng.standard_normal(), 2.0])
    amplitudes = log_uniform(0.005, 0.03, rng) * np.array([1.0, rng.random(), 0.3 * rng.random()])
    return magnitudes + waves(mjd, frequencies, amplitudes, rng), 1 / frequency


def quasar(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Quasars and Seyfert nuclei: damped random walks.

    Time scales of 250 days at rest, spread by a factor of 2.5, dilated by the redshift, and
    asymptotic structure functions of 0.2 mag (MacLeod et al. 2010, ApJ 721, 1014); the host's light
    dilutes the near ones.
    """
    redshift = rng.gamma(3.0, 0.5)
    damping_time = log_normal(250, 0.4, rng) * (1 + redshift)
    structure = min(log_normal(0.22, 0.2, rng), 0.9)
    magnitudes = structure / np.sqrt(2) * damped_walk(mjd, damping_time, rng)
    if redshift < 0.6:
        magnitudes = magnitudes * rng.uniform(0.3, 1.0)
    return magnitudes, NO_PERIOD


def blazar(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Blazars: faster and larger walks, and flares (Ruan et al. 2012, ApJ 760, 51)."""
    size = log_uniform(0.12, 0.5, rng)
    magnitudes = size * damped_walk(mjd, log_uniform(10, 300, rng), rng)
    magnitudes += 0.5 * size * damped_walk(mjd, log_uniform(1, 10, rng), rng)
    if rng.random() < 0.5:
        duration = log_uniform(3, 60, rng)
        starts = event_times(mjd, duration * log_uniform(4, 30, rng), 1.0, 6 * duration, rng)
        heights = rng.exponential(0.6, len(starts))
        magnitudes -= shots(mjd, starts, heights, duration, duration)
    return magnitudes, NO_PERIOD


def constant(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Stars that do not vary."""
    return np.zeros(len(mjd)), NO_PERIOD
