"""Harmonic series fitted to light curves: what a good periodogram fit predicts without training.

In the basis exp(2 pi i h f t), h = -H..H, the normal equations of a series of H harmonics are a
Toeplitz system of the sums of exp(2 pi i k f t) over the observations, k = 0..2H. One set of sums
serves every number of harmonics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ORDERS = (1, 2, 3, 4, 6)
"""Numbers of harmonics that are tried."""
_RIDGE = 1e-3
_OFFSETS = np.linspace(-0.8, 0.8, 9)
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
    times: np.ndarray, magnitudes: np.ndarray, frequencies: np.ndarray, step: float, trials: int
) -> HarmonicSeries | None:
    """The harmonic series with the lowest Bayesian information criterion.

    Each frequency and its half are tried, at nine offsets within the grid's step, with each of
    :data:`ORDERS` that leaves three observations for each coefficient.

    Args:
        times, magnitudes: float64 [n], days and mag.
        frequencies: float64 [m], candidates [1/day]; zeros are ignored.
        step: spacing of the grid that they come from [1/day].
        trials: frequencies of that grid: what the search for the frequency is charged for.

    Returns:
        None where no series is better than the mean.
    """
    n = len(times)
    orders = [order for order in ORDERS if 2 * order + 1 <= n / 3]
    tried = np.unique(np.concatenate([frequencies, frequencies / 2]))
    tried = (tried[tried > 0, None] + step * _OFFSETS).ravel()
    if not orders or not len(tried):
        return None
    spread = magnitudes - magnitudes.mean()
    lowest = n * np.log(spread @ spread / n + 1e-6) + np.log(n)
    highest = orders[-1]
    sums, projections = _sums(times, magnitudes, tried, highest)
    total, search = float(magnitudes @ magnitudes), 2 * np.log(max(trials, 1))
    best = None
    for order in orders:
        size = 2 * order + 1
        place = np.arange(size)[None, :] - np.arange(size)[:, None]
        toeplitz = sums[:, place + 2 * highest]
        toeplitz[:, np.arange(size), np.arange(size)] += _RIDGE
        right = projections[:, highest - order : highest + order + 1]
        coefficients = np.linalg.solve(toeplitz, right[..., None])[..., 0]
        # sum (y - Xc)^2 = y.y - 2 c.b + c.(G c), where (G + ridge) c = b
        fitted = np.sum((coefficients.conj() * right).real, axis=1)
        sse = total - fitted - _RIDGE * np.sum(np.abs(coefficients) ** 2, axis=1)
        bic = n * np.log(np.maximum(sse, 0) / n + 1e-6) + size * np.log(n) + search
        at = int(np.argmin(bic))
        if bic[at] < lowest:
            lowest = bic[at]
            best = HarmonicSeries(float(tried[at]), coefficients[at, order:].copy())
    return best


def _sums(
    times: np.ndarray, magnitudes: np.ndarray, frequencies: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of exp(2 pi i k f t), k = -2H..2H, and of y exp(-2 pi i h f t), h = -H..H, over t."""
    z = np.exp(2j * np.pi * frequencies[:, None] * times)
    sums = np.empty((len(frequencies), 4 * order + 1), np.complex128)
    projections = np.empty((len(frequencies), 2 * order + 1), np.complex128)
    sums[:, 2 * order], projections[:, order] = len(times), magnitudes.sum()
    power = np.ones_like(z)
    for k in range(1, 2 * order + 1):
        power *= z
        sums[:, 2 * order + k] = power.sum(axis=1)
        sums[:, 2 * order - k] = sums[:, 2 * order + k].conj()
        if k <= order:
            projections[:, order - k] = (power * magnitudes).sum(axis=1)
            projections[:, order + k] = projections[:, order - k].conj()
    return sums, projections
