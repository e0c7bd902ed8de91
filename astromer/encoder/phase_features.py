"""What the phase encoder reads at each step: phases, fits and their residuals.

All of it comes from visible steps alone: magnitudes and errors of hidden steps are replaced before
anything is computed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from astromer.encoder.local_fits import NUM_LOCAL_FITS, local_fits, visible_median
from astromer.periodogram.graph_periods import (
    NUM_FREQUENCIES,
    NUM_PEAKS,
    decimal_log,
    series_shape,
)
from astromer.periodogram.lomb_scargle import ORDERS

HARMONICS = 4
"""Of each frequency: those of RR Lyrae and eclipsing stars whose power is above the noise."""
NUM_COEFFICIENTS = 2 * (ORDERS[-1] + 1)
"""Real and imaginary coefficients of the best harmonic series."""
SEARCH = 2 * NUM_FREQUENCIES + 1
"""Frequencies [1/day], powers of the peaks, number of visible observations, scale [mag]."""
PHASE_INPUTS = {
    "errmag": tf.TensorSpec([None, None], tf.float32),
    "phases": tf.TensorSpec([None, None, NUM_FREQUENCIES], tf.float32),
    "series": tf.TensorSpec([None, 1, NUM_COEFFICIENTS], tf.float32),
    "search": tf.TensorSpec([None, 1, SEARCH], tf.float32),
}
"""The inputs of the phase encoder besides times, magnitudes and visible; see
:func:`astromer.encoder.folding.fold`."""

_LEAST_AMPLITUDE = 1e-3  # of the visible spread
_RIDGE = 1e-2  # of the number of visible steps: an order of magnitude below the noise of a fit
_LEAST_ERROR = 0.01  # [mag]; smaller errors would give single steps all the weight
_MARGIN = 0.1  # of the visible range, by which a fit may exceed it
_NEIGHBOURS = 3  # visible steps before and after
_FARTHEST = 4 * 1.4826  # median absolute residuals


class PhaseFeatures(NamedTuple):
    """Attributes:
    columns: float32 [batch, steps, NUM_COLUMNS], what the encoder reads.
    fits: float32 [batch, steps, NUM_FITS], predictions that the head can mix.
    scatter: float32 [batch, NUM_FITS + 1], decimal logarithms of the distance of visible steps
        from each fit, and from zero.
    """

    columns: tf.Tensor
    fits: tf.Tensor
    scatter: tf.Tensor


NUM_FITS = 7 + NUM_LOCAL_FITS
"""The best series of the whole light curve; window fits at its frequency, at that of the highest
peak and at half of it; a cubic in time; local fits; linear interpolation between visible steps that
agree with their neighbours, and between all."""
_COEFFICIENTS = np.array([5, 9, 9, 9, 4, *[0] * NUM_LOCAL_FITS, 0, 0, 1], np.float32)
"""Of each fit, and of the mean; local fits leave out the step itself. The series, which is of the
whole light curve, counts as one of two harmonics."""
NUM_COLUMNS = (
    3  # magnitude, visible, error
    + 2 * HARMONICS * NUM_FREQUENCIES
    + 2 * HARMONICS  # odd harmonics of half the highest peak's frequency
    + 2 * NUM_FITS  # and their residuals
    + 4 * _NEIGHBOURS
    + (NUM_FREQUENCIES + NUM_PEAKS + 1)  # of the search
    + 4  # scale, span, steps in the window and in the light curve
    + NUM_FITS  # scatter of the residuals
    + 4 * HARMONICS
    - 3  # amplitudes, ratios and relative phases of the series
)


def phase_features(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    visible: tf.Tensor,
    errmag: tf.Tensor,
    phases: tf.Tensor,
    series: tf.Tensor,
    search: tf.Tensor,
    kept: tf.Tensor | None = None,
) -> PhaseFeatures:
    """Computes the features of windows.

    Args:
        times: float32 [batch, steps], days.
        magnitudes: float32 [batch, steps], centred and divided by the visible spread; ignored
            where not visible.
        visible: bool [batch, steps].
        errmag, phases, series, search: see :data:`PHASE_INPUTS`.
        kept: float32 [batch, NUM_FREQUENCIES], 0 for frequencies that training drops, so that the
            network does not rely on one that may be an alias.
    """
    shown = tf.cast(visible, tf.float32)
    count = tf.maximum(tf.reduce_sum(shown, axis=1, keepdims=True), 1.0)
    magnitudes = tf.where(visible, magnitudes, 0.0)
    search = search[:, 0]
    frequencies, powers = search[:, :NUM_FREQUENCIES], search[:, NUM_FREQUENCIES:-2]
    num_visible, scale = search[:, -2:-1], search[:, -1:]
    waves = _Waves(phases)
    weights = _weights(errmag, visible)
    fits = _fits(times, magnitudes, visible, weights, waves, series)
    neighbours = _Neighbours(times, magnitudes, visible)
    local, agreeing = local_fits(
        times, phases[..., 0], magnitudes, visible, neighbours.span / count
    )
    local = _clipped(local, magnitudes, visible)
    agreeing_neighbours = _Neighbours(times, magnitudes, agreeing)
    interpolated = [agreeing_neighbours.interpolated, neighbours.interpolated]
    left_out = [agreeing_neighbours.left_out, neighbours.left_out]
    fits = tf.concat([fits, local, tf.stack(interpolated, axis=-1)], axis=-1)
    residuals = tf.where(visible[..., None], magnitudes[..., None] - fits, 0.0)
    scatter = tf.sqrt(tf.reduce_sum(tf.square(residuals), axis=1) / count)
    log_error = tf.where(visible & (errmag > 0), decimal_log(errmag / 0.03, 1e-2), 0.0)
    channels = waves.channels(kept)
    kept = tf.ones_like(frequencies) if kept is None else kept
    found = tf.cast(frequencies > 0, tf.float32)
    of_window = [
        decimal_log(frequencies, 1e-4) * found * kept,
        powers * kept[:, 1:],
        found[:, :1],
        decimal_log(scale / 0.3, 1e-4),
        decimal_log(neighbours.span / 300, 1e-5),
        decimal_log(count / 100, 1e-2),
        decimal_log(num_visible / 100, 1e-2),
        decimal_log(scatter, 1e-3),
        series_shape(series[:, 0], HARMONICS, _LEAST_AMPLITUDE) * found[:, :1],
    ]
    steps = [
        tf.stack([magnitudes, shown, log_error], axis=-1),
        channels,
        fits,
        residuals,
        neighbours.columns(),
        tf.repeat(tf.concat(of_window, axis=1)[:, None], tf.shape(times)[1], axis=1),
    ]
    return PhaseFeatures(
        tf.ensure_shape(tf.concat(steps, axis=-1), [None, None, NUM_COLUMNS]),
        fits,
        _scatter(residuals, left_out, magnitudes, visible),
    )


def _scatter(
    residuals: tf.Tensor, left_out: list[tf.Tensor], magnitudes: tf.Tensor, visible: tf.Tensor
) -> tf.Tensor:
    """float32 [batch, NUM_FITS + 1], see :class:`PhaseFeatures`.

    A fit of many coefficients is near the steps that it was made of: their number is allowed for.
    A wrong step counts as one at four standard deviations.

    Args:
        residuals: float32 [batch, steps, NUM_FITS].
        left_out: float32 [batch, steps] each, interpolations without the step itself.
        magnitudes, visible: as for :func:`phase_features`.
    """
    others = [magnitudes - interpolated for interpolated in left_out]
    others = tf.stack([*others, magnitudes], axis=-1)
    distance = tf.abs(tf.concat([residuals[..., : -len(left_out)], others], axis=-1))
    median = visible_median(distance, visible)[:, None]
    limited = tf.where(visible[..., None], tf.minimum(distance, _FARTHEST * median), 0.0)
    count = tf.math.count_nonzero(visible, axis=1, keepdims=True, dtype=tf.float32)
    free = tf.maximum(count - _COEFFICIENTS, 1.0)
    return decimal_log(tf.sqrt(tf.reduce_sum(tf.square(limited), axis=1) / free), 1e-2)


class _Waves:
    """Sines and cosines of the harmonics of each frequency.

    Attributes:
        sines, cosines: float32 [batch, steps, NUM_FREQUENCIES, HARMONICS].
        half_sines, half_cosines: float32 [batch, steps, HARMONICS], of half the frequency of the
            highest peak, at its odd multiples.
    """

    def __init__(self, phases: tf.Tensor) -> None:
        harmonics = np.arange(1, HARMONICS + 1, dtype=np.float32)
        angle = 4 * np.pi * phases[..., None] * harmonics
        half = 2 * np.pi * phases[..., 1:2] * (2 * harmonics - 1)
        self.sines, self.cosines = tf.sin(angle), tf.cos(angle)
        self.half_sines, self.half_cosines = tf.sin(half), tf.cos(half)

    def channels(self, kept: tf.Tensor | None) -> tf.Tensor:
        """float32 [batch, steps, columns]."""
        half = tf.concat([self.half_sines, self.half_cosines], axis=-1)
        both = tf.concat([self.sines, self.cosines], axis=-1)
        if kept is not None:
            both *= kept[:, None, :, None]
            half *= kept[:, None, 1:2]
        shape = tf.shape(half)
        flat = tf.reshape(both, [shape[0], shape[1], 2 * HARMONICS * NUM_FREQUENCIES])
        return tf.concat([flat, half], axis=-1)

    def bases(self) -> list[tf.Tensor]:
        """float32 [batch, steps, 2 HARMONICS] each: the best series' frequency, that of the highest
        peak, and half of it."""
        whole = [tf.concat([self.sines[:, :, k], self.cosines[:, :, k]], axis=-1) for k in range(2)]
        few, rest = HARMONICS - HARMONICS // 2, HARMONICS // 2
        half = tf.concat(
            [
                self.half_sines[..., :few],
                self.half_cosines[..., :few],
                self.sines[:, :, 1, :rest],
                self.cosines[:, :, 1, :rest],
            ],
            axis=-1,
        )
        return [*whole, half]


def _weights(errmag: tf.Tensor, visible: tf.Tensor) -> tf.Tensor:
    """float32 [batch, steps], 1 / errmag^2 with a mean of 1 over visible steps, 0 elsewhere.

    An unknown error counts as the mean of the known weights.
    """
    known = visible & (errmag > 0)
    weights = tf.where(known, tf.maximum(errmag, _LEAST_ERROR) ** -2, 0.0)
    number = tf.math.count_nonzero(known, axis=1, keepdims=True, dtype=tf.float32)
    mean = tf.reduce_sum(weights, axis=1, keepdims=True) / tf.maximum(number, 1.0)
    relative = tf.where(known, tf.math.divide_no_nan(weights, mean), 1.0)
    return tf.where(visible, relative, 0.0)


def _fits(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    visible: tf.Tensor,
    weights: tf.Tensor,
    waves: _Waves,
    series: tf.Tensor,
) -> tf.Tensor:
    """float32 [batch, steps, 5], of the whole window, within the visible range and a margin."""
    ones = tf.ones_like(times)[..., None]
    longest = tf.reduce_max(tf.abs(times), axis=1, keepdims=True)
    place = tf.math.divide_no_nan(times, longest)
    powers = [place[..., None] ** k for k in range(1, 2 * HARMONICS + 1)]
    # Beyond a cubic the columns are empty: all bases have one shape.
    cubic = tf.concat([*powers[:3], *[tf.zeros_like(ones)] * (2 * HARMONICS - 3)], axis=-1)
    bases = tf.stack(
        [tf.concat([ones, basis], axis=-1) for basis in (*waves.bases(), cubic)], axis=1
    )
    weighted = bases * weights[:, None, :, None]
    count = tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)
    size = 2 * HARMONICS + 1
    gram = tf.matmul(weighted, bases, transpose_a=True)
    gram += _RIDGE * count[:, None, None, None] * tf.eye(size)
    right = tf.matmul(weighted, magnitudes[:, None, :, None], transpose_a=True)
    of_window = tf.transpose(tf.matmul(bases, _solution(gram, right))[..., 0], [0, 2, 1])
    return _clipped(
        tf.concat([_series(waves, series)[..., None], of_window], axis=-1), magnitudes, visible
    )


def _solution(matrices: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """float32 [..., n, 1], of positive definite systems, by Gauss-Jordan elimination.

    ONNX has no Cholesky factors; positive definite matrices need no pivoting.
    """
    size = matrices.shape[-1]
    system = tf.concat([matrices, right], axis=-1)
    for k, unit in enumerate(np.eye(size, dtype=np.float32)[..., None]):
        row = system[..., k : k + 1, :] / system[..., k : k + 1, k : k + 1]
        system -= (system[..., k : k + 1] - unit) * row
    return system[..., size:]


def _clipped(fits: tf.Tensor, magnitudes: tf.Tensor, visible: tf.Tensor) -> tf.Tensor:
    """The fits, float32 [batch, steps, n], within the visible range and a margin."""
    lowest = tf.reduce_min(tf.where(visible, magnitudes, np.inf), axis=1)[:, None, None]
    highest = tf.reduce_max(tf.where(visible, magnitudes, -np.inf), axis=1)[:, None, None]
    some = tf.reduce_any(visible, axis=1)[:, None, None]
    lowest, highest = tf.where(some, lowest, 0.0), tf.where(some, highest, 0.0)
    margin = _MARGIN * (highest - lowest)
    return tf.clip_by_value(fits, lowest - margin, highest + margin)


def _series(waves: _Waves, series: tf.Tensor) -> tf.Tensor:
    """float32 [batch, steps], the values of the best harmonic series of the light curve."""
    real, imaginary = tf.split(series, 2, axis=-1)  # [batch, 1, order + 1]
    sine, cosine = waves.sines[:, :, 0, 0], waves.cosines[:, :, 0, 0]
    # Horner's scheme for sum of c_h z^h, z = cosine + i sine.
    value_real, value_imaginary = tf.zeros_like(sine), tf.zeros_like(sine)
    for h in range(ORDERS[-1], 0, -1):
        value_real, value_imaginary = value_real + real[..., h], value_imaginary + imaginary[..., h]
        value_real, value_imaginary = (
            value_real * cosine - value_imaginary * sine,
            value_real * sine + value_imaginary * cosine,
        )
    return 2 * value_real + real[..., 0]


class _Neighbours:
    """The visible steps next to each step in time.

    Attributes:
        interpolated: float32 [batch, steps], linear between the nearest before (or at) a step and
            the nearest after it; the nearest where there is one only; 0 where there is none.
        left_out: float32 [batch, steps], the same without the step itself.
        span: float32 [batch, 1], days between the first and the last step.
    """

    def __init__(self, times: tf.Tensor, magnitudes: tf.Tensor, visible: tf.Tensor) -> None:
        steps = tf.shape(times)[1]
        number = tf.math.count_nonzero(visible, axis=1, keepdims=True, dtype=tf.int32)
        by_time = tf.argsort(tf.where(visible, times, times.dtype.max), axis=1)
        not_later = (times[:, None, :] <= times[:, :, None]) & visible[:, None, :]
        until = tf.math.count_nonzero(not_later, axis=2, dtype=tf.int32)

        # Others than the step itself, or the network would learn to copy.
        last = until - 1 - tf.cast(visible, tf.int32)
        ranks = [until - 1, *(last - k for k in range(_NEIGHBOURS))]
        ranks += [until + k for k in range(_NEIGHBOURS)]
        rank = tf.stack(ranks, axis=-1)
        there = (rank >= 0) & (rank < number[..., None])
        step = tf.gather(by_time, tf.clip_by_value(rank, 0, steps - 1), batch_dims=1)
        magnitude = tf.where(there, tf.gather(magnitudes, step, batch_dims=1), 0.0)
        time = tf.gather(times, step, batch_dims=1)
        found = list(zip(*(tf.unstack(x, axis=-1) for x in (there, magnitude, time))))
        not_after, before, after = found[0], found[1], found[1 + _NEIGHBOURS]
        self.interpolated = _between(times, not_after, after)
        self.left_out = _between(times, before, after)
        self._times, self._found = times, (there, magnitude, time)
        earliest, latest = tf.reduce_min(times, axis=1), tf.reduce_max(times, axis=1)
        self.span = (latest - earliest)[:, None]

    def columns(self) -> tf.Tensor:
        """float32 [batch, steps, 4 _NEIGHBOURS], magnitudes of other visible steps before and
        after, and the logarithm of how far away they are."""
        there, magnitude, time = (x[..., 1:] for x in self._found)
        away = decimal_log(tf.abs(time - self._times[..., None]) / 10, 1e-3)
        away = tf.where(there, away, _FAR)
        shape = tf.concat([tf.shape(away)[:2], [4 * _NEIGHBOURS]], axis=0)
        return tf.reshape(tf.stack([magnitude, away], axis=-1), shape)


_FAR = 3.0  # a logarithm of a distance, where no step is
_Found = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def _between(times: tf.Tensor, before: _Found, after: _Found) -> tf.Tensor:
    """float32 [batch, steps], linear between two visible steps, whether they are there, their
    magnitudes and times; that of the only one; 0 where there is none."""
    has_before, first, start = before
    has_after, last, end = after
    share = tf.clip_by_value(tf.math.divide_no_nan(times - start, end - start), 0.0, 1.0)
    between = first + (last - first) * share
    return tf.where(has_before & has_after, between, tf.where(has_before, first, last))
