"""Which observations a served model hides from itself, drawn inside the graph."""

from __future__ import annotations

import tensorflow as tf

from astromer.serving.observations import Observations
from astromer.serving.windowing import cut_observations


def draw_hidden(
    observations: Observations, seed: tf.Tensor, probed: tf.Tensor, window_size: int
) -> tf.Tensor:
    """Draws floor(probed n) of the n observations of each window.

    The draw of a light curve depends on ``seed`` and its own times alone: padding, the order of
    rows and steps, and what else is in the batch change nothing. Magnitudes do not enter it, so
    that the choice tells nothing of what is hidden.

    Args:
        observations: usable ones.
        seed: int64 [].
        probed: float32 [], in [0, 1].
        window_size: observations per window.

    Returns:
        bool [N].
    """
    of_time = _mix(tf.bitcast(observations.mjd, tf.uint64))
    batch = tf.size(observations.problem, tf.int64)
    # A sum does not depend on the order; it wraps around, as the other numbers here do.
    of_row = tf.math.unsorted_segment_sum(of_time, observations.row, batch)
    of_row = _mix(of_row + _mix(tf.cast(seed, tf.uint64)))
    drawn = _mix(of_time + tf.gather(of_row, observations.row))
    # Signed and of 62 bits: padding gets a larger number than any.
    drawn = tf.cast(tf.bitwise.right_shift(drawn, tf.constant(2, tf.uint64)), tf.int64)

    index = tf.range(tf.size(observations.row, tf.int64))
    nothing = tf.zeros_like(observations.mag, tf.bool)
    windows = cut_observations(observations._replace(position=index), nothing, window_size, False)
    keys = tf.where(windows.observed, tf.gather(drawn, windows.position), tf.int64.max)
    rank = tf.argsort(tf.argsort(keys, axis=1, stable=True), axis=1)
    length = tf.cast(tf.math.count_nonzero(windows.observed, axis=1), tf.float64)
    # float32 has no 0.7: the shift keeps 0.7 of 10 from being 6.
    count = tf.floor((tf.cast(probed, tf.float64) + 1e-6) * length)
    chosen = windows.observed & (tf.cast(rank, tf.float64) < count[:, None])
    place = tf.boolean_mask(windows.position, chosen)[:, None]
    return tf.tensor_scatter_nd_update(nothing, place, tf.ones_like(place[:, 0], tf.bool))


def _mix(x: tf.Tensor) -> tf.Tensor:
    """uint64 to uint64, the finalizer of SplitMix64 (Steele et al. 2014, OOPSLA)."""
    x += tf.constant(0x9E3779B97F4A7C15, tf.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = _shifted(x, shift) * tf.constant(factor, tf.uint64)
    return _shifted(x, 31)


def _shifted(x: tf.Tensor, shift: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(shift, tf.uint64)))
