"""Lomb-Scargle periodograms, their peaks and harmonic fits, inside the graph of a served model.

The twin of :mod:`astromer.periodogram.lomb_scargle`. The sums over observations at all frequencies
are a non-uniform fast Fourier transform (Greengard & Lee 2004, SIAM Review 46, 443), with the
exponential of a semicircle as kernel (Barnett, Magland & af Klinteberg 2019, SIAM J. Sci. Comput.
41, C479). The frequencies are cut into bands of equal size, and each observation is multiplied by
the wave of the middle of every band. So all bands share one kernel and one length of transform. In
a fit the wave of a candidate's offset is a product of two waves, so that the sums over observations
at all candidates and offsets are products of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from astromer.periodogram.lomb_scargle import (
    LEFT_OUT_WIDTH,
    MOST_FREQUENCIES,
    OFFSETS,
    ORDERS,
    RIDGE,
    PeriodogramConfig,
    gram_matrices,
)

_LENGTH = 8192
_BAND = _LENGTH // 8 * 7
"""Frequencies that are kept of a transform: at its ends the kernel's own is too small."""
_WIDTH = 16
"""Grid points under the kernel. With these three numbers, relative errors are below 1e-7."""
_SHAPE = 0.976 * math.pi * _WIDTH * (1 - _BAND / (2 * _LENGTH))
_MOST_VALUES = 1 << 22
"""Observations times waves of a turn: 32 MiB for each matrix of them."""
_LEAST_DETERMINANT = 1e-12
"""Below it, the observations do not tell a mean, a sine and a cosine apart."""


def frequency_grid_graph(span: tf.Tensor, config: PeriodogramConfig) -> tuple[tf.Tensor, tf.Tensor]:
    """As :func:`~astromer.periodogram.lomb_scargle.frequency_grid`.

    Args:
        span: float64 [], of the times [days].
        config: where frequencies are searched.

    Returns:
        float64 [], spacing [1/day], and int64 [], number of frequencies.
    """
    step = tf.math.divide_no_nan(tf.ones([], tf.float64), config.oversampling * span)
    number = tf.math.divide_no_nan(tf.constant(config.max_frequency, tf.float64), step)
    number = tf.minimum(number, float(MOST_FREQUENCIES))
    return tf.where(span > 0, step, 0.0), tf.where(span > 0, tf.cast(number, tf.int64), 0)


def power_spectrum_graph(
    times: tf.Tensor, magnitudes: tf.Tensor, weights: tf.Tensor, step: tf.Tensor, number: tf.Tensor
) -> tf.Tensor:
    """float64 [number], normalised power at ``step``, 2 ``step``, ..., 0 where it has no meaning.

    Args:
        times: float64 [n], days, in any order.
        magnitudes: float64 [n].
        weights: float64 [n], 1 / error^2 times anything; ones for equal errors.
        step, number: float64 [] and int64 [], of the frequency grid. ``step`` times the span of
            the times must be at most 1, as it is on the grid of :func:`frequency_grid_graph`.
    """
    varies = tf.reduce_max(magnitudes) > tf.reduce_min(magnitudes)
    weights = tf.math.divide_no_nan(weights, tf.reduce_sum(weights))
    magnitudes -= tf.reduce_sum(weights * magnitudes)
    scatter = tf.sqrt(tf.reduce_sum(weights * magnitudes**2))
    weighted = weights * tf.where(varies, tf.math.divide_no_nan(magnitudes, scatter), 0.0)

    bands = number // _BAND + 1
    sums = _fourier_sums(times, weights, weighted, step, bands)
    of_weights, of_magnitudes = sums[: 2 * bands * _BAND], sums[2 * bands * _BAND :]
    y = of_magnitudes[1 : number + 1]
    once, twice = of_weights[1 : number + 1], of_weights[2 : 2 * number + 1 : 2]
    # Zechmeister & Kürster 2009, eq. 4-15, in complex numbers: CC and SS are the halves of
    # p + Re q and p - Re q, CS is that of Im q.
    p, q = 1 - _squared(once), twice - once * once
    explained = p * _squared(y) - tf.math.real(tf.math.conj(q) * y * y)
    determinant = p**2 - _squared(q)
    power = tf.clip_by_value(2 * explained / determinant, 0.0, 1.0)
    return tf.where(determinant > _LEAST_DETERMINANT, power, 0.0)


def without_left_out_graph(
    values: tf.Tensor, frequencies: tf.Tensor, step: tf.Tensor, config: PeriodogramConfig
) -> tf.Tensor:
    """As :func:`~astromer.periodogram.lomb_scargle.without_left_out`."""
    width = tf.maximum(step * config.oversampling, LEFT_OUT_WIDTH)
    for left_out in config.left_out:
        values = tf.where(tf.abs(frequencies - left_out) < width, tf.zeros_like(values), values)
    return values


def highest_peaks_graph(
    power: tf.Tensor, step: tf.Tensor, number: int, width: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """As :func:`~astromer.periodogram.lomb_scargle.highest_peaks`, float64 [number] each.

    Args:
        power: float64 [m].
        step: float64 [], spacing of the frequency grid [1/day].
        number: peaks.
        width: grid points that two of them are apart at least.
    """
    # A peak takes this many values out of the contest at most, itself included.
    contest = number * (2 * width + 1)
    last = tf.size(power) - 1
    padded = tf.pad(power, [[0, tf.maximum(contest - last, 1)]], constant_values=-1.0)
    values, places = tf.math.top_k(padded, contest)
    left = values > 0
    chosen = []
    for _ in range(number):
        chosen.append(tf.argmax(tf.cast(left, tf.int32)))
        left &= tf.abs(places - places[chosen[-1]]) > width
    peak, powers = tf.gather(places, chosen), tf.gather(values, chosen)
    # Where none is left, the choice is the first place again.
    first = tf.range(number) == 0
    found = (powers > 0) & (first | (tf.cast(chosen, tf.int32) > 0))

    inside = found & (peak > 0) & (peak < last)
    # A neighbour that an earlier peak has taken is no neighbour.
    earlier = tf.range(number)[:, None] > tf.range(number)
    touching = tf.abs(peak[:, None] - peak) == width + 1
    inside &= ~tf.reduce_any(earlier & touching & found, axis=1)
    before = tf.gather(padded, tf.maximum(peak - 1, 0))
    after = tf.gather(padded, peak + 1)
    curvature = before - 2 * powers + after
    shift = tf.where(inside & (curvature < 0), 0.5 * (before - after) / curvature, 0.0)
    frequencies = step * (tf.cast(peak + 1, tf.float64) + shift)
    return tf.where(found, frequencies, 0.0), tf.where(found, powers, 0.0)


def _squared(x: tf.Tensor) -> tf.Tensor:
    """|x|^2; tf.abs would take the root first."""
    return tf.math.real(x) ** 2 + tf.math.imag(x) ** 2


def _fourier_sums(
    times: tf.Tensor, weights: tf.Tensor, weighted: tf.Tensor, step: tf.Tensor, bands: tf.Tensor
) -> tf.Tensor:
    """complex128 [3 bands _BAND], sums of exp(-2 pi i k step t), k = 0, 1, ..., over observations.

    Those of the weights fill two thirds, so that they hold twice each frequency.
    """
    start = tf.reduce_min(times)
    cycles = (times - start) * step
    size, n = tf.maximum(_MOST_VALUES // (6 * bands), 1), tf.size(times, tf.int64)
    span = tf.where(n > 0, tf.reduce_max(cycles), 0.0)
    rows = tf.minimum(tf.cast(span * _LENGTH, tf.int64) + _WIDTH + 2, _LENGTH)

    def add(first: tf.Tensor, grid: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        turn = slice(first, first + size)
        spread = _spread(cycles[turn], weights[turn], weighted[turn], bands, rows)
        return first + size, grid + spread

    _, grid = tf.while_loop(
        lambda first, _: first < n,
        add,
        (tf.zeros([], tf.int64), tf.zeros([rows, 6 * bands], tf.float64)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, None])),
        parallel_iterations=1,
    )
    grid = tf.transpose(grid)
    grid = tf.complex(grid[: 3 * bands], grid[3 * bands :])
    grid = tf.pad(grid, [[0, 0], [0, _LENGTH - rows]])
    margin = (_LENGTH - _BAND) // 2
    kept = tf.signal.fft(grid)[:, margin : margin + _BAND]
    return tf.reshape(kept * tf.constant(_deconvolution()), [-1])


def _spread(
    cycles: tf.Tensor, weights: tf.Tensor, weighted: tf.Tensor, bands: tf.Tensor, rows: tf.Tensor
) -> tf.Tensor:
    """float64 [rows, 6 bands], observations times waves on the grid: real, then imaginary parts."""
    n = tf.size(cycles, tf.int64)
    cycles += _WIDTH / 2 / _LENGTH
    place = cycles * _LENGTH
    points = tf.math.ceil(place - _WIDTH / 2)[:, None] + tf.range(_WIDTH, dtype=tf.float64)
    distance = (points - place[:, None]) * (2 / _WIDTH)
    kernel = tf.exp(_SHAPE * (tf.sqrt(tf.maximum(1 - distance**2, 0.0)) - 1))
    points = tf.cast(points, tf.int64)
    # A changing sign puts the middle of a band in the middle of the transform.
    kernel *= tf.cast(1 - 2 * (points % 2), tf.float64)

    middle = tf.cast(tf.range(2 * bands) * _BAND + _BAND // 2, tf.float64)
    phase = cycles[:, None] * middle
    phase = (phase - tf.floor(phase)) * (-2 * math.pi)
    waves = [
        part
        for wave in (tf.cos(phase), tf.sin(phase))
        for part in (weights[:, None] * wave, weighted[:, None] * wave[:, :bands])
    ]
    index = [tf.reshape(points % _LENGTH, [-1]), tf.repeat(tf.range(n), _WIDTH)]
    sparse = tf.SparseTensor(tf.stack(index, 1), tf.reshape(kernel, [-1]), [rows, n])
    return tf.sparse.sparse_dense_matmul(sparse, tf.concat(waves, 1))


def _deconvolution() -> np.ndarray:
    """complex128 [_BAND], one over the Fourier transform of the kernel at each frequency."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    kernel = weights * np.exp(_SHAPE * (np.sqrt(1 - nodes**2) - 1))
    frequency = (np.arange(_BAND) - _BAND // 2) * (np.pi * _WIDTH / _LENGTH)
    transform = np.cos(frequency[:, None] * nodes) @ kernel * (_WIDTH / 2)
    return (1 / transform).astype(np.complex128)


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
    config: PeriodogramConfig = PeriodogramConfig(),
) -> tuple[tf.Tensor, tf.Tensor]:
    """As :func:`~astromer.periodogram.lomb_scargle.fit_harmonics`.

    Args:
        times, magnitudes: float64 [n], days and mag.
        frequencies: float64 [m], m > 0, candidates [1/day]; zeros are ignored.
        step: float64 [], spacing of the grid that they come from [1/day].
        trials: int64 [], frequencies of that grid.
        orders: numbers of harmonics that are tried, increasing.
        offsets: tried around each frequency and its half, in steps of the grid.
        halves: whether half of each frequency is tried, too.
        config: which frequencies are left out.

    Returns:
        frequency: float64 [], 0 where no series is better than the mean.
        coefficients: complex128 [highest order + 1], of exp(2 pi i h f t) for h = 0, 1, ..., as in
            :class:`~astromer.periodogram.lomb_scargle.HarmonicSeries`, then zeros; the mean alone
            where no series is better.
    """
    n = tf.cast(tf.size(times), tf.float64)
    mean = tf.math.divide_no_nan(tf.reduce_sum(magnitudes), n)
    around = tf.concat([frequencies, frequencies / 2], 0) if halves else frequencies
    around = without_left_out_graph(around, around, step, config)
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
