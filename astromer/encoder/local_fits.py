"""Lines fitted to the visible steps near each step, in time and in phase."""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from astromer.encoder.order import whole_lanes

_IN_TIME, _IN_PHASE, _AT_HALF = 1.0, 1.5, 3.0
"""Bandwidths in mean distances of visible steps: in time, in phase, and in phase at half of the
frequency, where eclipses of unequal depth are apart."""
NUM_LOCAL_FITS = 3

_OUTLYING = 4.685 * 1.4826  # median absolute residuals: Tukey's biweight at 95 % efficiency
_WRONG = 8 * 1.4826  # median absolute residuals, beyond which a step is left out of interpolation
_LEAST_RESIDUAL = 1e-3  # of the visible spread
_FLAT = 0.1  # keeps a line flat where all steps are about as far away


def local_fits(
    times: tf.Tensor,
    phases: tf.Tensor,
    magnitudes: tf.Tensor,
    visible: tf.Tensor,
    spacing: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Lines through the visible steps near each step, but for the step itself.

    Each is fitted twice; then steps far from the first line have less weight, or none (Cleveland
    1979, JASA 74, 829).

    Args:
        times, magnitudes: float32 [batch, steps], days and mag.
        phases: float32 [batch, steps], cycles at half of a frequency.
        visible: bool [batch, steps].
        spacing: float32 [batch, 1], mean distance of visible steps [days].

    Returns:
        float32 [batch, steps, NUM_LOCAL_FITS], the lines in time, in phase and in phase at half of
        the frequency; and bool [batch, steps], visible steps that agree with the line in time.
    """
    others = _Others(magnitudes, visible)
    fits = [
        others.line_in_time(tf.math.divide_no_nan(times, spacing) / _IN_TIME),
        others.line_in_phase(2 * phases, _IN_PHASE),
        others.line_in_phase(phases, _AT_HALF),
    ]
    _, median = others.residuals(fits[0])
    trusted = visible & (tf.abs(magnitudes - fits[0]) <= _WRONG * median)
    return tf.stack(fits, axis=-1), trusted


_Pairs = list[tuple[tf.Tensor, tf.Tensor]]


class _Others:
    """The visible steps of windows, padded to the most: what lines are fitted to.

    Attributes:
        count: int32 [batch], visible steps.
    """

    def __init__(self, magnitudes: tf.Tensor, visible: tf.Tensor) -> None:
        self.count = tf.math.count_nonzero(visible, axis=1, dtype=tf.int32)
        order = tf.argsort(tf.cast(~visible, tf.int32), axis=1, stable=True)
        # At least one, so that windows without any visible step have a median.
        most = tf.maximum(tf.reduce_max(self.count), 1)
        self._steps = order[:, : whole_lanes(most)]
        self._shown, self._magnitudes = self._of(visible), self._of(magnitudes)
        another = self._steps[:, None, :] != tf.range(tf.shape(visible)[1])[:, None]
        self._counts = tf.cast(another & self._shown[:, None, :], tf.float32)

    def _of(self, x: tf.Tensor) -> tf.Tensor:
        return tf.gather(x, self._steps, batch_dims=1)

    def line_in_time(self, place: tf.Tensor) -> tf.Tensor:
        """float32 [batch, steps], the lines at each step.

        ``place`` is float32 [batch, steps], times in bandwidths.
        """
        theirs = self._of(place)
        squared = tf.square(theirs[:, None, :] - place[:, :, None])
        return self._line(squared, [(tf.ones_like(place), theirs), (-place, tf.ones_like(theirs))])

    def line_in_phase(self, cycles: tf.Tensor, bandwidth: float) -> tf.Tensor:
        """float32 [batch, steps], the same where places are on a circle.

        Distances are chords, and the line is one in the sine of the difference.

        Args:
            cycles: float32 [batch, steps].
            bandwidth: in mean distances of visible steps.
        """
        number = tf.maximum(tf.cast(self.count, tf.float32), 1.0)[:, None]
        angle = 2 * np.pi * cycles
        sine, cosine = tf.sin(angle), tf.cos(angle)
        radius = number / (2 * np.pi * bandwidth)
        around = tf.stack([sine, cosine], axis=-1)
        product = tf.matmul(around, self._of(around), transpose_b=True)
        squared = tf.maximum(1 - product, 0.0) * (2 * tf.square(radius))[..., None]
        pairs = [(radius * cosine, self._of(sine)), (-radius * sine, self._of(cosine))]
        return self._line(squared, pairs)

    def _line(self, squared: tf.Tensor, pairs: _Pairs) -> tf.Tensor:
        """float32 [batch, steps], the values of the lines.

        Args:
            squared: float32 [batch, steps, others], squared distances in bandwidths.
            pairs: what is fitted at distance d is a + b d, where d is the sum over the pairs of
                products of a number of the step and one of the other.
        """
        # Of heavy tails: in a gap the next steps count, however far they are.
        kernel = self._counts / tf.square(1 + squared)
        residual, median = self.residuals(self._solved(kernel, pairs))
        trusted = tf.square(tf.maximum(1 - tf.square(residual / (_OUTLYING * median)), 0.0))
        return self._solved(kernel * trusted[:, None, :], pairs)

    def _solved(self, kernel: tf.Tensor, pairs: _Pairs) -> tf.Tensor:
        own, theirs = zip(*pairs)
        # The sums over the others, all in one product.
        columns = [tf.ones_like(self._magnitudes), self._magnitudes, *theirs]
        columns += [other * self._magnitudes for other in theirs]
        columns += [one * other for one in theirs for other in theirs]
        sums = tf.unstack(tf.matmul(kernel, tf.stack(columns, axis=-1)), axis=-1)
        number = len(pairs)
        weight, y0, first = sums[0], sums[1], sums[2 : 2 + number]
        second = sums[2 + 2 * number :]
        t1 = tf.add_n([a * s for a, s in zip(own, first)])
        y1 = tf.add_n([a * s for a, s in zip(own, sums[2 + number : 2 + 2 * number])])
        t2 = tf.add_n([a * b * s for (a, b), s in zip(itertools.product(own, own), second)])
        t2 = tf.maximum(t2, 0.0) + _FLAT * weight
        determinant = weight * t2 - tf.square(t1)
        line = tf.math.divide_no_nan(t2 * y0 - t1 * y1, determinant)
        return tf.where(determinant > 1e-6 * weight * t2, line, tf.math.divide_no_nan(y0, weight))

    def residuals(self, line: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """float32 [batch, others], distances from a line, and [batch, 1], their medians."""
        residual = tf.abs(self._magnitudes - self._of(line))
        median = visible_median(residual[..., None], self._shown)
        return residual, tf.maximum(median, _LEAST_RESIDUAL)


def visible_median(values: tf.Tensor, visible: tf.Tensor) -> tf.Tensor:
    """float32 [batch, n], the lower of the middle values of the visible steps.

    Args:
        values: float32 [batch, steps, n].
        visible: bool [batch, steps].
    """
    ranked = tf.sort(tf.where(visible[..., None], values, values.dtype.max), axis=1)
    count = tf.math.count_nonzero(visible, axis=1, dtype=tf.int32)
    return tf.gather(ranked, tf.maximum(count - 1, 0) // 2, axis=1, batch_dims=1)
