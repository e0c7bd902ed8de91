"""Stars and quasars that never repeat: long-period, quasi-periodic and stochastic variables."""

from __future__ import annotations

import numpy as np


def damped_oscillation(
    mjd: np.ndarray, period: float, damping_time: float, rng: np.random.Generator
) -> np.ndarray:
    """A stationary, damped, randomly kicked oscillator, sampled exactly at irregular times.

    Args:
        mjd: float64 [n], days, increasing.
        period: days; infinity gives a damped random walk.
        damping_time: days after which the phase is forgotten.

    Returns:
        complex128 [n]; real and imaginary part each have variance 1.
    """
    step = np.diff(mjd)
    memory = np.exp(-step / damping_time - 2j * np.pi * step / period)
    kicks = rng.normal(size=len(mjd)) + 1j * rng.normal(size=len(mjd))
    fresh = np.sqrt(-np.expm1(-2 * step / damping_time))
    state = np.empty(len(mjd), np.complex128)
    state[0] = kicks[0]
    for i in range(1, len(mjd)):
        state[i] = memory[i - 1] * state[i - 1] + fresh[i - 1] * kicks[i]
    return state


def random_walk(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a quasar around its mean: a damped random walk (Kelly+ 2009)."""
    damping_time = np.exp(rng.uniform(np.log(60.0), np.log(800.0)))
    return rng.uniform(0.12, 0.4) * damped_oscillation(mjd, np.inf, damping_time, rng).real


def quasi_periodic(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a spotted, rotating star around its mean."""
    rotation = np.exp(rng.uniform(np.log(4.0), np.log(60.0)))
    spots = damped_oscillation(mjd, rotation, rotation * rng.uniform(5, 25), rng).real
    second = damped_oscillation(mjd, rotation / 2, rotation * rng.uniform(3, 10), rng).real
    return rng.uniform(0.04, 0.15) * (spots + rng.uniform(0.1, 0.5) * second)


def semiregular(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a semiregular red giant around its mean.

    Two damped periods; one star in three has a long secondary period too.
    """
    period = np.exp(rng.uniform(np.log(35.0), np.log(180.0)))
    main = damped_oscillation(mjd, period, period * rng.uniform(4, 15), rng).real
    other = damped_oscillation(
        mjd, period * rng.uniform(0.48, 0.58), period * rng.uniform(2, 8), rng
    ).real
    magnitudes = rng.uniform(0.06, 0.3) * (main + rng.uniform(0.2, 0.7) * other)
    if rng.random() < 0.33:
        long_phase = mjd / (period * rng.uniform(8, 11)) + rng.random()
        magnitudes = magnitudes + rng.uniform(0.1, 0.3) * np.cos(2 * np.pi * long_phase)
    return magnitudes


def mira(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a Mira around its mean: large, slow, never twice the same."""
    period = float(np.clip(rng.normal(280, 80), 110, 520))
    amplitude = rng.uniform(2.0, 4.5)
    wander = damped_oscillation(mjd, np.inf, 4 * period, rng)
    phase = mjd / period + rng.random() + 0.03 * wander.real
    angle = 2 * np.pi * phase
    # The rise is faster than the decline, more so at long periods.
    asymmetry = np.clip(0.1 + 0.1 * (period - 200) / 200 + rng.normal(0, 0.04), 0, 0.3)
    cycle = np.cos(angle) + asymmetry * np.cos(2 * angle + 4.2)
    trend = 0.1 * amplitude * damped_oscillation(mjd, np.inf, 6 * period, rng).real
    return amplitude / 2 * cycle * (1 + 0.12 * np.tanh(wander.imag)) + trend
