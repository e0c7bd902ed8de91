"""What the models of variable objects are made of: series, random processes and events.

A damped random walk is an Ornstein-Uhlenbeck process (Kelly et al. 2009, ApJ 698, 895). A damped
oscillation is its complex form, the rotating counterpart of the stochastic oscillators of CARMA
models (Kelly et al. 2014, ApJ 788, 33). Both are sampled exactly at any times.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Signal = tuple[np.ndarray, float]
"""float64 [n], change of an object's magnitude at n times, and its period [days]; NaN for none."""

NO_PERIOD = float("nan")


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """A value whose logarithm is uniform."""
    return float(low * (high / low) ** rng.random())


def log_normal(median: float, dex: float, rng: np.random.Generator) -> float:
    """A value whose decimal logarithm is normal, with a standard deviation of ``dex``."""
    return float(median * 10 ** (dex * rng.standard_normal()))


def normal_within(
    mean: float, sigma: float, low: float, high: float, rng: np.random.Generator
) -> float:
    """A normal value, and one of the limits where it lies beyond."""
    return min(max(mean + sigma * rng.standard_normal(), low), high)


def fourier_series(
    phase: np.ndarray,
    ratios: Sequence[float] | np.ndarray,
    phases: Sequence[float] | np.ndarray,
    *,
    steps: int = 120,
) -> np.ndarray:
    """cos x + R21 cos(2 x + phi21) + R31 cos(3 x + phi31) + ..., x = 2 pi phase.

    Args:
        phase: float [n], cycles.
        ratios, phases: [k - 1], R_k1 and phi_k1 [rad] of the harmonics k = 2, 3, ... as Simon & Lee
            (1981, ApJ 248, 291) define them for series of cosines.
        steps: of a cycle, by which the span is measured.

    Returns:
        float64 [n] around a mean of 0; it spans 1 over a cycle.
    """
    coefficients = np.asarray(ratios) * np.exp(1j * np.asarray(phases))
    span = _series(np.exp(2j * np.pi * np.arange(steps) / steps), coefficients)
    return _series(np.exp(2j * np.pi * phase), coefficients) / float(span.max() - span.min())


def _series(z: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    value = np.zeros_like(z)
    for coefficient in coefficients[::-1]:  # Horner's scheme
        value = (value + coefficient) * z
    return np.real((value + 1) * z)


def waves(
    mjd: np.ndarray,
    frequencies: np.ndarray,
    amplitudes: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """float64 [n], sum of cosines with random phases.

    Args:
        mjd: float64 [n], days.
        frequencies: float64 [m], 1/day.
        amplitudes: float64 [m], half of the full range [mag].
    """
    total = np.zeros(len(mjd))
    shifts = 2 * np.pi * rng.random(len(frequencies))
    for frequency, amplitude, shift in zip(frequencies, amplitudes, shifts):
        total += amplitude * np.cos((2 * np.pi * frequency) * mjd + shift)
    return total


def damped_walk(mjd: np.ndarray, damping_time: float, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], a damped random walk of variance 1.

    Args:
        mjd: float64 [n], days, in increasing order.
        damping_time: days after which the correlation is 1 / e.
    """
    memory = np.exp(np.diff(mjd) / -damping_time)
    kicks = rng.standard_normal(len(mjd))
    kicks[1:] *= np.sqrt(1 - memory**2)
    return np.array(_autoregression(memory.tolist(), kicks.tolist()))


def damped_oscillation(
    mjd: np.ndarray, period: float, damping_time: float, rng: np.random.Generator
) -> np.ndarray:
    """complex128 [n], an oscillation that is kicked at random and forgets its phase.

    Real and imaginary part have variance 1 each; the latter lags by a quarter of a period.

    Args:
        mjd: float64 [n], days, in increasing order.
        period: days.
        damping_time: days after which the correlation is 1 / e.
    """
    step = np.diff(mjd)
    damping = np.exp(step / -damping_time)
    memory = damping * np.exp(step * (2j * np.pi / period))
    kicks = rng.standard_normal(len(mjd)) + 1j * rng.standard_normal(len(mjd))
    kicks[1:] *= np.sqrt(1 - damping**2)
    return np.array(_autoregression(memory.tolist(), kicks.tolist()))


def _autoregression(memory: list, kicks: list) -> list:
    """x[i] = memory[i - 1] x[i - 1] + kicks[i]. Python's own numbers are the fastest here."""
    value = kicks[0]
    values = [value]
    append = values.append
    for keeping, kick in zip(memory, kicks[1:]):
        value = keeping * value + kick
        append(value)
    return values


def wander(mjd: np.ndarray, timescale: float, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], smooth normal values: knots one timescale apart, joined by cubic arcs.

    The variance is 1 at the knots.
    """
    place = (mjd - mjd[0]) / timescale
    before = place.astype(np.int64)
    knots = rng.standard_normal(int(before[-1]) + 2)
    part = place - before
    part = part * part * (3 - 2 * part)
    return knots[before] * (1 - part) + knots[before + 1] * part


def event_times(
    mjd: np.ndarray, interval: float, regularity: float, lead: float, rng: np.random.Generator
) -> np.ndarray:
    """float64 [k >= 1], increasing times at which something begins.

    Args:
        mjd: float64 [n], days, in increasing order; events cover it.
        interval: mean days from one event to the next.
        regularity: shape of the gamma distribution of intervals; 1 for a Poisson process.
        lead: days before the first observation when events may begin.
    """
    length = float(mjd[-1] - mjd[0]) + lead
    number = int(1.5 * length / interval + 6 * np.sqrt(length / interval) + 4)
    intervals = rng.gamma(regularity, interval / regularity, number)
    intervals[0] *= rng.random()
    return float(mjd[0]) - lead + np.cumsum(intervals)


def since_events(
    mjd: np.ndarray, starts: np.ndarray, back: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Which event was the last one at each time, and how long ago it began.

    Args:
        mjd: float64 [n], days.
        starts: float64 [k], increasing.
        back: 0 for the last event, 1 for the one before it, ...

    Returns:
        int64 [n], positions in ``starts``, 0 where there was none yet; float64 [n], days since,
        minus infinity where there was none yet.
    """
    last = np.searchsorted(starts, mjd, side="right") - 1 - back
    event = np.maximum(last, 0)
    return event, np.where(last >= 0, mjd - starts[event], -np.inf)


def shots(
    mjd: np.ndarray,
    starts: np.ndarray,
    heights: np.ndarray,
    rise: float,
    decay: float,
    overlapping: int = 3,
) -> np.ndarray:
    """float64 [n], sum of events that rise linearly and decay exponentially.

    Args:
        mjd: float64 [n], days.
        starts, heights: float64 [k], increasing times [days], and their peaks.
        rise, decay: days.
        overlapping: how many of the last events still count.
    """
    total = np.zeros(len(mjd))
    for back in range(min(overlapping, len(starts))):
        event, elapsed = since_events(mjd, starts, back)
        rising = np.maximum(elapsed, 0) / rise
        fading = np.exp(np.minimum(rise - elapsed, 0) / decay)
        total += heights[event] * np.minimum(rising, fading)
    return total
