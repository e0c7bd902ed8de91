"""Lomb-Scargle periodograms, their highest peaks, and harmonic series fitted to light curves.

The periodogram has a floating mean and weights observations by their errors (Zechmeister & Kürster
2009, A&A 496, 577). nifty-ls computes it by non-uniform fast Fourier transforms (Garrison et al.
2024, RNAAS 8, 250).

The normal equations of a fit in 1, cos, sin, cos 2, sin 2, ... are made of the sums of
exp(2 pi i k f t) over the observations, k = 0..2H, and one Cholesky factor holds those of every
smaller number of harmonics. It is computed here for all candidates at once: LAPACK, called for
thousands of matrices of 13 rows, spends a hundred times as long on its threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astromer.system.config import Config, knob


@dataclass(frozen=True)
class PeriodogramConfig(Config):
    """The grid of frequencies of a periodogram."""

    max_frequency: float = knob(
        10.0,
        "highest frequency [1/day]; 10 holds delta Scuti stars, and costs in proportion; of a grid "
        "of more than 2,097,152 frequencies the highest are left out",
        bounds="(0, inf)",
    )
    oversampling: int = knob(
        4,
        "grid points for each frequency that the time span resolves; at 4 a peak between two of "
        "them loses 5 % of its height",
        bounds="[1, inf)",
    )
    left_out: tuple[float, ...] = knob(
        (), "frequencies [1/day] that are no candidates, each with its neighbourhood"
    )


LEFT_OUT_WIDTH = 0.01
"""Of a frequency that is left out, to either side [1/day]; 1 over the span where that is more."""
FEWEST = 8
"""Observations below which no frequency is searched."""
PEAK_WIDTH = 8
"""Grid points that two peaks are apart at least."""
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


def without_left_out(
    values: np.ndarray, frequencies: np.ndarray, step: float, config: PeriodogramConfig
) -> np.ndarray:
    """Values at some frequencies [1/day], 0 near those that are left out."""
    width = max(LEFT_OUT_WIDTH, step * config.oversampling)
    for left_out in config.left_out:
        values = np.where(np.abs(frequencies - left_out) < width, 0.0, values)
    return values


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


ORDERS = (1, 2, 3, 4, 6)
"""Numbers of harmonics that are tried."""
RIDGE = 1e-3
"""Added to the diagonal of the normal equations."""
OFFSETS = (-0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8)
"""Tried around each frequency, in steps of the periodogram's grid."""


@dataclass(frozen=True)
class HarmonicSeries:
    """A mean and harmonics of one frequency.

    Attributes:
        frequency: cycles per day.
        coefficients: complex128 [order + 1], of exp(2 pi i h f t) for h = 0..order; those of
            negative h are their conjugates.
    """

    frequency: float
    coefficients: np.ndarray

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """float64 [n], the series at times [days]."""
        z = np.exp(2j * np.pi * self.frequency * times)
        value = np.zeros(len(times), np.complex128)
        for coefficient in self.coefficients[:0:-1]:  # Horner's scheme
            value = (value + coefficient) * z
        return 2 * value.real + self.coefficients[0].real


def fit_harmonics(
    times: np.ndarray,
    magnitudes: np.ndarray,
    frequencies: np.ndarray,
    step: float,
    trials: int,
    config: PeriodogramConfig = PeriodogramConfig(),
) -> HarmonicSeries | None:
    """The harmonic series with the lowest Bayesian information criterion.

    Each frequency and its half are tried, at nine offsets within the grid's step, with each of
    :data:`ORDERS` that leaves three observations for each coefficient.

    Args:
        times, magnitudes: float64 [n], days and mag.
        frequencies: float64 [m], candidates [1/day]; zeros are ignored.
        step: spacing of the grid that they come from [1/day].
        trials: frequencies of that grid: what the search for the frequency is charged for.
        config: which frequencies are left out.

    Returns:
        None where no series is better than the mean.
    """
    n = len(times)
    orders = [order for order in ORDERS if 2 * order + 1 <= n / 3]
    tried = np.unique(np.concatenate([frequencies, frequencies / 2]))
    tried = without_left_out(tried, tried, step, config)
    tried = (tried[tried > 0, None] + step * np.array(OFFSETS)).ravel()
    if not orders or not len(tried):
        return None
    spread = magnitudes - magnitudes.mean()
    lowest = n * np.log(np.sum(spread**2) / n + 1e-6) + np.log(n)
    gram, projections = _normal_equations(times, magnitudes, tried, orders[-1])
    factor, reduced = _cholesky(gram, projections)
    explained = np.cumsum(reduced**2, axis=1)
    total, search = float(np.sum(magnitudes**2)), 2 * np.log(max(trials, 1))
    best = None
    for order in orders:
        size = 2 * order + 1
        sse = np.maximum(total - explained[:, size - 1], 0)
        bic = n * np.log(sse / n + 1e-6) + size * np.log(n) + search
        at = int(np.argmin(bic))
        if bic[at] < lowest:
            lowest, best = bic[at], (at, size)
    if best is None:
        return None
    at, size = best
    real = _solve_upper(factor[at, :size, :size].T, reduced[at, :size])
    coefficients = np.concatenate([real[:1], (real[1::2] - 1j * real[2::2]) / 2])
    return HarmonicSeries(float(tried[at]), coefficients)


def _normal_equations(
    times: np.ndarray, magnitudes: np.ndarray, frequencies: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Gram matrices with the ridge, float64 [m, 2 order + 1, 2 order + 1], and the right sides."""
    size = 2 * order + 1
    z = np.exp(2j * np.pi * frequencies[:, None] * times)
    cosines, sines = (np.zeros((len(frequencies), size)) for _ in range(2))
    right = np.empty((len(frequencies), size))
    cosines[:, 0], right[:, 0] = len(times), magnitudes.sum()
    power = np.ones_like(z)
    for k in range(1, size):
        power *= z
        cosines[:, k], sines[:, k] = power.real.sum(axis=1), power.imag.sum(axis=1)
        if k <= order:
            right[:, 2 * k - 1] = (power.real * magnitudes).sum(axis=1)
            right[:, 2 * k] = (power.imag * magnitudes).sum(axis=1)
    gram = gram_matrices(cosines, sines)
    gram[:, np.arange(size), np.arange(size)] += RIDGE
    return gram, right


def gram_matrices(cosines: np.ndarray, sines: np.ndarray) -> np.ndarray:
    """float64 [m, size, size], products of 1, cos, sin, cos 2, sin 2, ... summed up.

    Args:
        cosines, sines: float64 [m, size], sums of cos k and sin k for k = 0..size - 1.
    """
    size = cosines.shape[1]
    # cos i cos j and the like are halves of sums and differences of cos (i - j) and cos (i + j).
    harmonic = (np.arange(size) + 1) // 2
    is_sine = (np.arange(size) % 2 == 0) & (harmonic > 0)
    i, j = harmonic[:, None], harmonic[None, :]
    first, second = is_sine[:, None], is_sine[None, :]
    sign = np.where(first & second, -1.0, 1.0)
    same = (cosines[:, abs(i - j)] + sign * cosines[:, i + j]) / 2
    # cos i sin j = (sin (i + j) + sin (j - i)) / 2
    difference = np.where(second, j - i, i - j)
    mixed = (sines[:, i + j] + np.sign(difference) * sines[:, abs(difference)]) / 2
    return np.where(first == second, same, mixed)


def _cholesky(matrices: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower factors L [m, n, n] of positive definite matrices, and L^-1 b [m, n]."""
    factor, reduced = np.zeros_like(matrices), np.zeros_like(right)
    for k in range(matrices.shape[1]):
        row = factor[:, k, :k]
        pivot = np.sqrt(np.maximum(matrices[:, k, k] - np.sum(row**2, axis=1), RIDGE / 2))
        factor[:, k, k] = pivot
        reduced[:, k] = (right[:, k] - np.sum(row * reduced[:, :k], axis=1)) / pivot
        below = matrices[:, k + 1 :, k] - np.sum(factor[:, k + 1 :, :k] * row[:, None], axis=2)
        factor[:, k + 1 :, k] = below / pivot[:, None]
    return factor, reduced


def _solve_upper(upper: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The solution of one triangular system [n, n]."""
    solution = np.zeros_like(right)
    for k in range(len(right) - 1, -1, -1):
        known = np.sum(upper[k, k + 1 :] * solution[k + 1 :])
        solution[k] = (right[k] - known) / upper[k, k]
    return solution
