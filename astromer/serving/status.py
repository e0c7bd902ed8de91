"""What became of each light curve that a model was asked about."""

from __future__ import annotations

import tensorflow as tf

STATUS_OK = 0
STATUS_TOO_SHORT = 1  # fewer usable observations than the rules ask for
STATUS_UNEQUAL = 2  # series not equally long, or a length that the arrays do not have
STATUS_UNREADABLE = 3  # no record of a light curve
STATUS_TOO_LONG = 4  # more observations than the model takes, see ServingConfig
STATUSES = frozenset(
    {STATUS_OK, STATUS_TOO_SHORT, STATUS_UNEQUAL, STATUS_UNREADABLE, STATUS_TOO_LONG}
)


def judge(problem: tf.Tensor, num_observations: tf.Tensor, min_observations: int) -> tf.Tensor:
    """int32 [batch], the status of each light curve.

    Args:
        problem: int32 [batch], what was wrong with the input; 0 where nothing was.
        num_observations: int64 [batch], usable observations.
        min_observations: fewer are too few.
    """
    too_short = num_observations < min_observations
    enough = tf.where(too_short, STATUS_TOO_SHORT, STATUS_OK)
    return tf.where(problem == STATUS_OK, enough, problem)
