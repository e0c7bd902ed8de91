"""Harmonic series fitted to a light curve, inside the graph of a served model.

The twin of :mod:`astromer.periodogram.harmonic_fit`. The wave of a candidate's offset is a product
of two waves, so that the sums over observations at all candidates and offsets are products of
matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from astromer.periodogram.harmonic_fit import OFFSETS, ORDERS, RIDGE, gram_matrices

_TURN = 4096
"""Observations that are summed up at a time: 16 MiB of waves for ten candidates."""


def fit_harmonics_graph(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    frequencies: tf.Tensor,
    step: tf.Tensor,
    trials: tf.Tensor,
    orders: Sequence[int] = ORDERS,
    offsets: Sequence[float] = OFFSETS,
    halves: bool = True,
) -> tuple[tf.Tensor, tf.Tensor]:
    """As :func:`~astromer.periodogram.harmonic_fit.fit_harmonics`.

    Args:
        times, magnitudes: float64 [n], days and mag.
        frequencies: float64 [m], m > 0, candidates [1/day]; zeros are ignored.
        step: float64 [], spacing of the grid that they come from [1/day].
        trials: int64 [], frequencies of that grid.
        orders: numbers of harmonics that are tried, increasing.
        offsets: tried around each frequency and its half, in steps of the grid.
        halves: whether half of each frequency is tried, too.

    Returns:
        frequency: float64 [], 0 where no series is better than the mean.
        coefficients: complex128 [highest order + 1], of exp(2 pi i h f t) for h = 0, 1, ..., as in
            :class:`~astromer.periodogram.harmonic_fit.HarmonicSeries`, then zeros; the mean alone
            where no series is better.
    """
    n = tf.cast(tf.size(times), tf.float64)
    mean = tf.math.divide_no_nan(tf.reduce_sum(magnitudes), n)
    around = tf.concat([frequencies, frequencies / 2], 0) if halves else frequencies
    shifts = step * tf.constant(offsets, tf.float64)
    gram, right = _normal_equations(times, magnitudes, around, shifts, orders[-1])
    factor = tf.linalg.cholesky(gram)
    reduced = tf.linalg.triangular_solve(factor, right[:, :, None])[:, :, 0]

    sizes = tf.constant([2 * order + 1 for order in orders], tf.int32)
    total = tf.reduce_sum(magnitudes**2)
    explained = tf.gather(tf.cumsum(reduced**2, axis=1), sizes - 1, axis=1)
    size = tf.cast(sizes, tf.float64)
    search = 2 * tf.math.log(tf.cast(tf.maximum(trials, 1), tf.float64))
    bic = n * tf.math.log(tf.maximum(total - explained, 0.0) / n + 1e-6)
    bic += size * tf.math.log(n) + search
    usable = tf.repeat(around > 0, len(offsets))[:, None] & (size <= n / 3)
    bic = tf.where(usable, bic, math.inf)
    alone = n * tf.math.log(tf.reduce_sum((magnitudes - mean) ** 2) / n + 1e-6) + tf.math.log(n)
    # Of equal ones the lowest order, then the first candidate.
    ranked = tf.reshape(tf.transpose(bic), [-1])
    best = tf.argmin(ranked)
    better = ranked[best] < alone

    candidates = len(offsets) * tf.size(around, tf.int64)
    at, order = best % candidates, best // candidates
    kept = tf.range(2 * orders[-1] + 1) < sizes[order]
    solved = tf.linalg.triangular_solve(
        factor[at], tf.where(kept, reduced[at], 0.0)[:, None], adjoint=True
    )[:, 0]
    harmonics = tf.complex(solved[1::2], -solved[2::2]) / 2
    coefficients = tf.concat([tf.cast(solved[:1], tf.complex128), harmonics], 0)
    only_mean = tf.pad(tf.cast(mean[None], tf.complex128), [[0, orders[-1]]])
    frequency = around[at // len(offsets)] + shifts[at % len(offsets)]
    return tf.where(better, frequency, 0.0), tf.where(better, coefficients, only_mean)


def _normal_equations(
    times: tf.Tensor, magnitudes: tf.Tensor, around: tf.Tensor, shifts: tf.Tensor, order: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gram matrices with the ridge, float64 [m shifts, size, size], and right sides [.., size]."""
    size, n = 2 * order + 1, tf.size(times)
    candidates = tf.size(around) * tf.size(shifts)

    def add(first: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        turn = slice(first, first + _TURN)
        waves = _powers(around[:, None] * times[turn], size - 1)
        of_magnitudes = waves[:order] * tf.cast(magnitudes[turn], tf.complex128)
        shifted = _powers(times[turn, None] * shifts, size - 1)
        added = tf.concat([waves @ shifted, of_magnitudes @ shifted[:order]], 0)
        return first + _TURN, sums + tf.reshape(added, [size - 1 + order, candidates])

    nothing = tf.zeros([size - 1 + order, candidates], tf.complex128)
    _, sums = tf.while_loop(
        lambda first, _: first < n, add, (tf.zeros([], tf.int32), nothing), parallel_iterations=1
    )
    sums = tf.transpose(sums)
    of_waves, of_magnitudes = sums[:, : size - 1], sums[:, size - 1 :]
    ones = tf.ones([candidates, 1], tf.float64)
    flat = tf.concat(
        [ones * tf.cast(n, tf.float64), tf.math.real(of_waves), 0 * ones, tf.math.imag(of_waves)], 1
    )
    each = np.eye(2 * size)
    gram = tf.reshape(
        flat @ gram_matrices(each[:, :size], each[:, size:]).reshape(2 * size, size**2),
        [candidates, size, size],
    )
    parts = tf.stack([tf.math.real(of_magnitudes), tf.math.imag(of_magnitudes)], 2)
    right = tf.concat(
        [ones * tf.reduce_sum(magnitudes), tf.reshape(parts, [candidates, size - 1])], 1
    )
    return gram + RIDGE * np.eye(size), right


def _powers(cycles: tf.Tensor, number: int) -> tf.Tensor:
    """complex128 [number, ...], exp(2 pi i k cycles) for k = 1..number."""
    phase = 2 * math.pi * (cycles - tf.floor(cycles))
    powers = [tf.complex(tf.cos(phase), tf.sin(phase))]
    for k in range(2, number + 1):
        powers.append(powers[k // 2 - 1] * powers[(k + 1) // 2 - 1])
    return tf.stack(powers)
