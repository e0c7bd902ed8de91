"""Lines fitted to the visible steps near each step, in time and in phase."""

from __future__ import annotations

import tensorflow as tf

_IN_TIME = (0.4, 1.5)
_IN_PHASE = (1.5, 5.0)
_AT_HALF = (3.0,)
"""Bandwidths in mean distances of visible steps: in time, in phase, and in phase at half of the
frequency, where eclipses of unequal depth are apart."""
NUM_LOCAL_FITS = len(_IN_TIME) + len(_IN_PHASE) + len(_AT_HALF)

_OUTLYING = 4.685 * 1.4826  # median absolute residuals: Tukey's biweight at 95 % efficiency
_FLAT = 0.1  # keeps a line flat where all steps are about as far away


def local_fits(
    times: tf.Tensor,
    phases: tf.Tensor,
    magnitudes: tf.Tensor,
    visible: tf.Tensor,
    spacing: tf.Tensor,
) -> tf.Tensor:
    """float32 [batch, steps, NUM_LOCAL_FITS], lines through the visible steps nearby, but for the
    step itself.

    Each is fitted twice; then steps far from the first line have less weight, or none (Cleveland
    1979, JASA 74, 829).

    Args:
        times, magnitudes: float32 [batch, steps], days and mag.
        phases: float32 [batch, steps], cycles at half of a frequency.
        visible: bool [batch, steps].
        spacing: float32 [batch, 1], mean distance of visible steps [days].
    """
    count = tf.math.count_nonzero(visible, axis=1, dtype=tf.int32)
    # Hidden steps have no weight: the products are over the visible ones, padded to the most.
    shown = tf.argsort(tf.cast(~visible, tf.int32), axis=1, stable=True)[:, : tf.reduce_max(count)]
    near, given = (tf.gather(x, shown, batch_dims=1) for x in (visible, magnitudes))
    others = shown[:, None, :] != tf.range(tf.shape(times)[1])[:, None]
    others = tf.cast(others & near[:, None, :], tf.float32)
    number = tf.maximum(tf.cast(count, tf.float32), 1.0)[:, None, None]

    def away_in(place: tf.Tensor) -> tf.Tensor:
        return tf.gather(place, shown, batch_dims=1)[:, None, :] - place[:, :, None]

    turned = away_in(phases)
    distances = [
        (away_in(tf.math.divide_no_nan(times, spacing)), _IN_TIME),
        ((2 * turned - tf.round(2 * turned)) * number, _IN_PHASE),
        ((turned - tf.round(turned)) * number, _AT_HALF),
    ]
    fits = []
    for distance, bandwidths in distances:
        for bandwidth in bandwidths:
            away = distance / bandwidth
            # Of heavy tails: in a gap the next steps count, however far they are.
            kernel = others / tf.square(1 + tf.square(away))
            first = _line(kernel, away, given)
            residual = tf.abs(given - tf.gather(first, shown, batch_dims=1))
            ranked = tf.sort(tf.where(near, residual, residual.dtype.max), axis=1)
            median = tf.gather(ranked, tf.maximum(count - 1, 0) // 2, batch_dims=1)[:, None]
            ratio = tf.math.divide_no_nan(residual, _OUTLYING * tf.maximum(median, 1e-3))
            trusted = tf.square(tf.maximum(1 - tf.square(ratio), 0.0))
            fits.append(_line(kernel * trusted[:, None, :], away, given))
    return tf.stack(fits, axis=-1)


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
