"""Lines fitted to the visible steps near each step, in time and in phase."""

from __future__ import annotations

import tensorflow as tf

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
    turned = others.away(phases)
    number = tf.maximum(tf.cast(others.count, tf.float32), 1.0)[:, None, None]
    in_time = others.away(tf.math.divide_no_nan(times, spacing))
    distances = [
        in_time / _IN_TIME,
        (2 * turned - tf.round(2 * turned)) * (number / _IN_PHASE),
        (turned - tf.round(turned)) * (number / _AT_HALF),
    ]
    fits = [others.line(distance) for distance in distances]
    _, median = others.residuals(fits[0])
    trusted = visible & (tf.abs(magnitudes - fits[0]) <= _WRONG * median)
    return tf.stack(fits, axis=-1), trusted


class _Others:
    """The visible steps of windows, padded to the most: what lines are fitted to.

    Attributes:
        count: int32 [batch], visible steps.
    """

    def __init__(self, magnitudes: tf.Tensor, visible: tf.Tensor) -> None:
        self.count = tf.math.count_nonzero(visible, axis=1, dtype=tf.int32)
        order = tf.argsort(tf.cast(~visible, tf.int32), axis=1, stable=True)
        self._steps = order[:, : tf.reduce_max(self.count)]
        self._shown, self._magnitudes = self._of(visible), self._of(magnitudes)
        another = self._steps[:, None, :] != tf.range(tf.shape(visible)[1])[:, None]
        self._counts = tf.cast(another & self._shown[:, None, :], tf.float32)

    def _of(self, x: tf.Tensor) -> tf.Tensor:
        return tf.gather(x, self._steps, batch_dims=1)

    def away(self, place: tf.Tensor) -> tf.Tensor:
        """float32 [batch, steps, others], how far the others are from each step.

        ``place`` is float32 [batch, steps].
        """
        return self._of(place)[:, None, :] - place[:, :, None]

    def line(self, away: tf.Tensor) -> tf.Tensor:
        """float32 [batch, steps], the value at each step of the line through the others near it.

        ``away`` is float32 [batch, steps, others], in bandwidths.
        """
        # Of heavy tails: in a gap the next steps count, however far they are.
        kernel = self._counts / tf.square(1 + tf.square(away))
        residual, median = self.residuals(_line(kernel, away, self._magnitudes))
        trusted = tf.square(tf.maximum(1 - tf.square(residual / (_OUTLYING * median)), 0.0))
        return _line(kernel * trusted[:, None, :], away, self._magnitudes)

    def residuals(self, line: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """float32 [batch, others], distances from a line, and [batch, 1], their medians."""
        residual = tf.abs(self._magnitudes - self._of(line))
        ranked = tf.sort(tf.where(self._shown, residual, residual.dtype.max), axis=1)
        median = tf.gather(ranked, tf.maximum(self.count - 1, 0) // 2, batch_dims=1)[:, None]
        return residual, tf.maximum(median, _LEAST_RESIDUAL)


def _line(kernel: tf.Tensor, away: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """float32 [batch, steps], the value at each step of the line through others with its weights.

    Args:
        kernel: float32 [batch, steps, others], weights of the others for each step.
        away: float32, of the same shape, their distances from it, with a sign.
        magnitudes: float32 [batch, others].
    """
    values = tf.stack([tf.ones_like(magnitudes), magnitudes], axis=-1)
    weight, y0 = tf.unstack(tf.matmul(kernel, values), axis=-1)
    first = kernel * away
    t1, y1 = tf.unstack(tf.matmul(first, values), axis=-1)
    t2 = tf.reduce_sum(first * away, axis=-1) + _FLAT * weight
    determinant = weight * t2 - tf.square(t1)
    line = tf.math.divide_no_nan(t2 * y0 - t1 * y1, determinant)
    return tf.where(determinant > 1e-6 * weight * t2, line, tf.math.divide_no_nan(y0, weight))
