"""Lomb-Scargle periodograms and their highest peaks.

The periodogram has a floating mean and weights observations by their errors (Zechmeister & Kürster
2009, A&A 496, 577). nifty-ls computes it by non-uniform fast Fourier transforms (Garrison et al.
2024, RNAAS 8, 250).
"""

from __future__ import annotations

import numpy as np

from astromer.periodogram.config import PeriodogramConfig

FEWEST = 8
"""Observations below which no frequency is searched."""
MOST_FREQUENCIES = 1 << 21
"""Of a grid, for the memory's sake: 10 a day over 52,000 days, 4 times oversampled."""


def frequency_grid(span: float, config: PeriodogramConfig) -> tuple[float, int]:
    """Spacing [1/day] and number of the searched frequencies; the first is the spacing itself.

    A span of T days resolves 1 / T; the grid is ``oversampling`` times finer, so that no peak
    falls between two frequencies. It ends at ``max_frequency``, or earlier at
    :data:`MOST_FREQUENCIES`.
    """
    if span <= 0:
        return 0.0, 0
    step = 1 / (config.oversampling * span)
    return step, min(int(config.max_frequency / step), MOST_FREQUENCIES)


def power_spectrum(
    times: np.ndarray, magnitudes: np.ndarray, errmag: np.ndarray | None, step: float, number: int
) -> np.ndarray:
    """float64 [number], normalised power at ``step``, 2 ``step``, ..., 0 where it has no meaning.

    Args:
        times: float64 [n], days, in increasing order.
        magnitudes: float64 [n].
        errmag: float64 [n], 1-sigma errors [mag]; None for equal ones.
        step, number: of the frequency grid.
    """
    import nifty_ls

    if not len(times) or not np.ptp(times) or not np.ptp(magnitudes):
        return np.zeros(number)
    found = nifty_ls.lombscargle(
        times, magnitudes, errmag, fmin=step, fmax=step * number, Nf=number, nthreads=1
    )
    return np.clip(np.nan_to_num(found.power), 0, 1)


def highest_peaks(
    power: np.ndarray, step: float, number: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """The highest peaks that lie more than ``width`` grid points apart.

    Each is refined by the parabola through the peak and its two neighbours.

    Returns:
        float64 [number], frequencies [1/day] and powers.
    """
    power = power.copy()
    frequencies, powers = np.zeros(number), np.zeros(number)
    for place in range(number):
        k = int(np.argmax(power))
        if power[k] <= 0:
            break
        shift = 0.0
        if 0 < k < len(power) - 1 and min(power[k - 1], power[k + 1]) >= 0:
            before, at, after = power[k - 1 : k + 2]
            curvature = before - 2 * at + after
            shift = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
        frequencies[place], powers[place] = step * (k + 1 + shift), power[k]
        power[max(0, k - width) : k + width + 1] = -1.0
    return frequencies, powers
