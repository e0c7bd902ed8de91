"""From vectors of steps to one vector for each light curve."""

from __future__ import annotations

import tensorflow as tf

from astromer.serving.status import STATUS_OK
from astromer.serving.windowing import GraphWindows

Outputs = dict[str, tf.Tensor]


def pool_steps(sequence: tf.Tensor, observed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum and maximum over the observed steps of each window, float32 [num_windows, d_model]."""
    real = observed[..., None]
    total = tf.reduce_sum(tf.where(real, sequence, 0.0), axis=1)
    return total, tf.reduce_max(tf.where(real, sequence, sequence.dtype.min), axis=1)


def pool_windows(
    windows: GraphWindows, total: tf.Tensor, highest: tf.Tensor, status: tf.Tensor
) -> Outputs:
    """Joins the windows of each light curve.

    Args:
        windows: the windows.
        total, highest: float32 [num_windows, d_model], see :func:`pool_steps`.
        status: int32 [batch]; light curves whose status is not 0 get zeros.
    """
    batch = tf.size(status, tf.int64)
    fine = (status == STATUS_OK)[:, None]
    count = tf.cast(tf.maximum(windows.num_observations, 1), tf.float32)[:, None]
    mean = tf.math.unsorted_segment_sum(total, windows.row, batch) / count
    highest = tf.math.unsorted_segment_max(highest, windows.row, batch)
    ones = tf.ones_like(windows.row)
    return {
        "mean": tf.where(fine, mean, 0.0),
        "max": tf.where(fine, highest, 0.0),
        "num_observations": windows.num_observations,
        "num_windows": tf.math.unsorted_segment_sum(ones, windows.row, batch),
        "status": status,
    }
