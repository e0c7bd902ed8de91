"""What a served model refuses, so that no request takes more memory than a server has."""

from __future__ import annotations

import tensorflow as tf

from astromer.serving.config import ServingConfig
from astromer.serving.observations import Observations, after
from astromer.serving.status import STATUS_OK, STATUS_TOO_LONG


class Limits:
    """The limits of a served model, checked inside the graph.

    One light curve over its limit gets a status. A request over its limits is refused as a whole,
    before memory is taken for it, with a message that names limit, knob and what was received.

    Args:
        config: the limits.
        window_size: observations per window.
        d_model: width of the encoder.

    Each check raises tf.errors.InvalidArgumentError when the graph runs.
    """

    def __init__(self, config: ServingConfig, window_size: int, d_model: int):
        self._config = config
        self._window_size, self._d_model = window_size, d_model

    def batch(self, count: tf.Tensor) -> tf.Operation:
        """Checks how many light curves a request holds, int64 []."""
        most = self._config.serve_max_batch
        return _at_most(count, most, "light curves in a request", "batch", "Ask in several.")

    def sequence(self, shape: tf.Tensor) -> tf.Operation:
        """Checks ``sequence`` of light curves padded to a shape, int64 [2] (batch, steps)."""
        return _at_most(
            tf.reduce_prod(shape) * self._d_model,
            self._config.serve_max_sequence,
            f"numbers in sequence (light curves x padded steps x {self._d_model})",
            "sequence",
            "Ask for fewer light curves at once, or for embed_pooled or embed_ragged.",
        )

    def padded(self, shape: tf.Tensor) -> tf.Operation:
        """Checks answers with a value for each step of light curves padded to a shape."""
        return _at_most(
            tf.reduce_prod(shape),
            self._config.serve_max_steps,
            "steps in an answer (light curves x padded steps)",
            "steps",
            "Ask for fewer light curves at once.",
        )

    def windows(self, count: tf.Tensor) -> tf.Operation:
        """Checks windows that go through the network all at once, int64 []."""
        return _at_most(
            count * self._window_size,
            self._config.serve_max_window_steps,
            f"steps in encode_windows (windows x {self._window_size})",
            "window-steps",
            "Ask for fewer windows at once.",
        )

    def without_too_long(self, observations: Observations, shown: tf.Tensor) -> list:
        """Gives light curves of too many observations their status, and drops those.

        Args:
            observations: as they were given.
            shown: bool [N].

        Returns:
            Those that are left, and ``shown`` of them.
        """
        problem = observations.problem
        length = _count(observations)
        too_long = length > self._config.serve_max_observations
        problem = tf.where((problem == STATUS_OK) & too_long, STATUS_TOO_LONG, problem)
        kept = ~tf.gather(too_long, observations.row)
        left = observations._replace(problem=problem).only(kept)
        return [left, tf.boolean_mask(shown, kept)]

    def request(self, usable: Observations) -> Observations:
        """The observations that windows are cut from, if a request may hold as many."""
        windows = (_count(usable) + self._window_size - 1) // self._window_size
        checks = [
            self.batch(tf.size(usable.problem, tf.int64)),
            _at_most(
                tf.reduce_sum(windows) * self._window_size,
                self._config.serve_max_steps,
                f"steps in the windows of a request (windows x {self._window_size})",
                "steps",
                "Ask for fewer light curves at once.",
            ),
        ]
        return Observations._make(after(checks, *usable))


def _count(observations: Observations) -> tf.Tensor:
    """int64 [batch], observations of each light curve."""
    batch = tf.size(observations.problem, tf.int64)
    ones = tf.ones_like(observations.row)
    return tf.math.unsorted_segment_sum(ones, observations.row, batch)


def _at_most(received: tf.Tensor, most: int, what: str, knob: str, advice: str) -> tf.Operation:
    told = f"This model takes at most {most} {what}; --serve-max-{knob} set it. {advice} Received:"
    return tf.debugging.Assert(received <= most, [told, received])
