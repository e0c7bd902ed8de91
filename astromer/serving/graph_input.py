"""Light curves as the graph of a served model receives them: their forms, limits and statuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from astromer.periodogram.graph_periods import owners
from astromer.records.codec import ParsedLightCurves, parse_lists, parse_records
from astromer.serving.config import ServingConfig

# The status of a light curve in the answer of a model.
STATUS_OK = 0
STATUS_TOO_SHORT = 1  # fewer usable observations than the rules require
STATUS_UNEQUAL = 2  # series of unequal lengths, or a length that exceeds the arrays
STATUS_UNREADABLE = 3  # not a record of a light curve
STATUS_TOO_LONG = 4  # more observations than the model takes, see ServingConfig
STATUSES = frozenset(
    {STATUS_OK, STATUS_TOO_SHORT, STATUS_UNEQUAL, STATUS_UNREADABLE, STATUS_TOO_LONG}
)


class GraphObservations(NamedTuple):
    """The N observations of a batch of light curves, in no particular order.

    Attributes:
        mjd: float64 [N], days.
        mag: float32 [N].
        errmag: float32 [N], NaN where unknown.
        row: int64 [N], the light curve of each observation.
        position: int64 [N], its index in the input row.
        problem: int32 [batch], status of a light curve that cannot be read, 0 of the others; an
            unreadable one has no observations.
    """

    mjd: tf.Tensor
    mag: tf.Tensor
    errmag: tf.Tensor
    row: tf.Tensor
    position: tf.Tensor
    problem: tf.Tensor

    def only(self, kept: tf.Tensor) -> GraphObservations:
        """The observations that are True in ``kept``, bool [N]."""
        index = tf.where(kept)[:, 0]
        fields = [tf.gather(values, index) for values in self[:-1]]
        return GraphObservations._make([*fields, self.problem])

    @property
    def input_index(self) -> tf.Tensor:
        """int64 [N, 2], row and position."""
        return tf.stack([self.row, self.position], axis=1)


OBSERVATIONS = GraphObservations(
    tf.TensorSpec([None], tf.float64),
    tf.TensorSpec([None], tf.float32),
    tf.TensorSpec([None], tf.float32),
    tf.TensorSpec([None], tf.int64),
    tf.TensorSpec([None], tf.int64),
    tf.TensorSpec([None], tf.int32),
)
SHOWN = tf.TensorSpec([None], tf.bool)
PADDED = (
    tf.TensorSpec([None, None], tf.float64, "mjd"),
    tf.TensorSpec([None, None], tf.float32, "mag"),
    tf.TensorSpec([None, None], tf.float32, "errmag"),
    tf.TensorSpec([None], tf.int64, "length"),
)
ROWS = (
    tf.RaggedTensorSpec([None, None], tf.float64),
    tf.RaggedTensorSpec([None, None], tf.float32),
    tf.RaggedTensorSpec([None, None], tf.float32),
    tf.TensorSpec([None], tf.bool),
)


def from_padded(
    mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
) -> GraphObservations:
    """From arrays [batch, steps] and the number of real steps of each row, int64 [batch].

    Raises:
        tf.errors.InvalidArgumentError: the arrays differ in shape.
    """
    shape = tf.shape(mjd, tf.int64)
    length_rule = "length must have one value for each row of mjd"
    checks = [
        *(
            tf.debugging.assert_equal(
                tf.shape(other, tf.int64), shape, f"{name} must have the shape of mjd"
            )
            for name, other in (("mag", mag), ("errmag", errmag))
        ),
        tf.debugging.assert_equal(tf.shape(length, tf.int64), shape[:1], length_rule),
    ]
    mjd, mag, errmag, length = after(checks, mjd, mag, errmag, length)
    wrong = (length < 0) | (length > shape[1])
    inside = tf.range(shape[1])[None, :] < tf.where(wrong, tf.zeros_like(length), length)[:, None]
    index = tf.where(inside)
    return GraphObservations(
        mjd=tf.gather_nd(mjd, index),
        mag=tf.gather_nd(mag, index),
        errmag=tf.gather_nd(errmag, index),
        row=index[:, 0],
        position=index[:, 1],
        problem=tf.where(wrong, STATUS_UNEQUAL, STATUS_OK),
    )


def from_flat(
    mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
) -> GraphObservations:
    """From series [N], curve after curve, and the observations of each, int64 [batch].

    Raises:
        tf.errors.InvalidArgumentError: the series differ in length, or the lengths of the light
            curves do not add up to it, so that their starts are unknown.
    """
    total = tf.size(mjd, tf.int64)
    checks = [
        tf.debugging.assert_equal(tf.size(other, tf.int64), total, f"{name} must be as long as mjd")
        for name, other in (("mag", mag), ("errmag", errmag))
    ]
    checks += [
        tf.debugging.assert_non_negative(length, "length must not be negative"),
        tf.debugging.assert_equal(
            tf.reduce_sum(length), total, "length must add up to the observations in mjd"
        ),
    ]
    mjd, mag, errmag, length = after(checks, mjd, mag, errmag, length)
    return _in_order(mjd, mag, errmag, length, tf.zeros_like(length, tf.int32))


def from_ragged(
    mjd: tf.RaggedTensor, mag: tf.RaggedTensor, errmag: tf.RaggedTensor, readable: tf.Tensor
) -> GraphObservations:
    """From rows [batch, None]; the errors of a row are unknown if it has none.

    Args:
        mjd, mag, errmag: ragged float64, float32 and float32.
        readable: bool [batch], False at rows that hold no light curve.
    """
    lengths = [tf.cast(series.row_lengths(), tf.int64) for series in (mjd, mag, errmag)]
    no_errors = lengths[2] == 0
    fits = (lengths[1] == lengths[0]) & ((lengths[2] == lengths[0]) | no_errors)
    problem = tf.where(readable, tf.where(fits, STATUS_OK, STATUS_UNEQUAL), STATUS_UNREADABLE)
    fits &= readable
    times, magnitudes, errors = (
        tf.boolean_mask(series.values, tf.gather(fits, owners(length)))
        for series, length in zip((mjd, mag, errmag), lengths, strict=True)
    )
    length = tf.where(fits, lengths[0], tf.zeros_like(lengths[0]))
    known = tf.gather(~no_errors, owners(length))
    unknown = tf.fill(tf.shape(times), tf.constant(float("nan"), tf.float32))
    errors = tf.tensor_scatter_nd_update(unknown, tf.where(known), errors)
    return _in_order(times, magnitudes, errors, length, problem)


def as_rows(
    mjd: tf.RaggedTensor, mag: tf.RaggedTensor, errmag: tf.RaggedTensor
) -> ParsedLightCurves:
    """Converts ragged rows of any float and index type for :func:`from_ragged`."""
    return ParsedLightCurves(
        *(
            series.with_values(tf.cast(series.values, spec.dtype)).with_row_splits_dtype(tf.int64)
            for series, spec in zip((mjd, mag, errmag), ROWS)
        )
    )


def parse_examples(examples: tf.Tensor) -> tuple[ParsedLightCurves, tf.Tensor]:
    """Parses serialized SequenceExamples, string [batch]. A bad one does not affect the others.

    Returns:
        The light curves and ``readable``, for :func:`from_ragged`.
    """
    readable = _readable(examples)
    parsed = parse_records(tf.where(readable, examples, ""))
    return as_rows(*parsed.curves), readable & parsed.has_series


def curve_status(
    problem: tf.Tensor, num_observations: tf.Tensor, min_observations: int
) -> tf.Tensor:
    """int32 [batch], the status of each light curve.

    Args:
        problem: int32 [batch], see :class:`GraphObservations`.
        num_observations: int64 [batch], usable observations.
        min_observations: required number of them.
    """
    too_short = num_observations < min_observations
    enough = tf.where(too_short, STATUS_TOO_SHORT, STATUS_OK)
    return tf.where(problem == STATUS_OK, enough, problem)


_FEWER_CURVES = "Send fewer light curves at once."


class Limits:
    """The limits of a served model, checked inside the graph before it allocates memory.

    A light curve over its limit gets a status. A request over a limit fails as a whole: each check
    raises tf.errors.InvalidArgumentError, which names the limit, its flag and what was received.

    Args:
        config: the limits.
        window_size: observations per window.
        d_model: width of the encoder.
    """

    def __init__(self, config: ServingConfig, window_size: int, d_model: int):
        self._config = config
        self._window_size, self._d_model = window_size, d_model

    def batch(self, count: tf.Tensor) -> tf.Operation:
        """Checks the number of light curves in a request, int64 []."""
        most = self._config.serve_max_batch
        return _at_most(count, most, "light curves in a request", "batch", "Send several requests.")

    def sequence(self, shape: tf.Tensor) -> tf.Operation:
        """Checks the size of ``sequence``; shape is int64 [2], batch and padded steps."""
        return _at_most(
            tf.reduce_prod(shape) * self._d_model,
            self._config.serve_max_sequence,
            f"numbers in sequence (light curves x padded steps x {self._d_model})",
            "sequence",
            "Send fewer light curves at once, or use embed_pooled or embed_ragged.",
        )

    def padded(self, shape: tf.Tensor) -> tf.Operation:
        """Checks an answer with a value for each padded step; shape is int64 [2]."""
        return _at_most(
            tf.reduce_prod(shape),
            self._config.serve_max_steps,
            "steps in an answer (light curves x padded steps)",
            "steps",
            _FEWER_CURVES,
        )

    def windows(self, count: tf.Tensor) -> tf.Operation:
        """Checks the number of windows that the network gets at once, int64 []."""
        return _at_most(
            count * self._window_size,
            self._config.serve_max_window_steps,
            f"steps in encode_windows (windows x {self._window_size})",
            "window-steps",
            "Send fewer windows at once.",
        )

    def without_too_long(self, observations: GraphObservations, shown: tf.Tensor) -> list:
        """Gives light curves with too many observations their status, and drops these observations.

        Returns:
            The remaining observations, and their ``shown``, bool [N].
        """
        problem = observations.problem
        too_long = _count(observations) > self._config.serve_max_observations
        problem = tf.where((problem == STATUS_OK) & too_long, STATUS_TOO_LONG, problem)
        kept = ~tf.gather(too_long, observations.row)
        return [observations._replace(problem=problem).only(kept), tf.boolean_mask(shown, kept)]

    def request(self, usable: GraphObservations) -> GraphObservations:
        """Checks the numbers of light curves and windows; returns the observations."""
        windows = (_count(usable) + self._window_size - 1) // self._window_size
        checks = [
            self.batch(tf.size(usable.problem, tf.int64)),
            _at_most(
                tf.reduce_sum(windows) * self._window_size,
                self._config.serve_max_steps,
                f"steps in the windows of a request (windows x {self._window_size})",
                "steps",
                _FEWER_CURVES,
            ),
        ]
        return GraphObservations._make(after(checks, *usable))


def traced(*signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: a tf.function with one signature, which is traced once for all its callers.

    AutoGraph is off, because it takes longer than the rest of tracing. Conditions on tensors must
    be ``tf.cond`` or ``tf.where``.

    Args:
        signature: a TensorSpec for each argument, or a structure of them.
    """
    return tf.function(input_signature=signature, autograph=False)


def after(checks: Sequence[Any], *inputs: tf.Tensor) -> list[tf.Tensor]:
    """The inputs, available only after the checks have run.

    Otherwise an operation could fail before the check does, with a less helpful message.
    """
    with tf.control_dependencies([check for check in checks if check is not None]):
        return [tf.identity(values) for values in inputs]


def _readable(examples: tf.Tensor) -> tf.Tensor:
    """bool [batch], whether the parser accepts a record.

    One bad record fails a whole batch, so each is parsed alone, in a dataset that skips errors:
    a graph has no other way to catch one.
    """
    count = tf.size(examples, tf.int64)

    @tf.autograph.experimental.do_not_convert
    def parsed_index(index: tf.Tensor, example: tf.Tensor) -> tf.Tensor:
        lists = parse_lists(example[None])
        # The parser must not be optimised away.
        sizes = [tf.size(series.flat_values, tf.int64) for series in lists.values()]
        return index + 0 * tf.add_n(sizes)

    records = tf.data.Dataset.zip(
        (tf.data.Dataset.range(count), tf.data.Dataset.from_tensor_slices(examples))
    )
    accepted = (
        records.map(parsed_index).ignore_errors().concatenate(tf.data.Dataset.from_tensors(count))
    )
    index = accepted.batch(count + 1).get_single_element()
    return tf.scatter_nd(index[:, None], tf.ones_like(index, tf.bool), count[None] + 1)[:count]


def _in_order(
    mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor, problem: tf.Tensor
) -> GraphObservations:
    row = owners(length)
    first = tf.cumsum(length, exclusive=True)
    position = tf.range(tf.size(row, tf.int64)) - tf.gather(first, row)
    return GraphObservations(mjd, mag, errmag, row, position, problem)


def _count(observations: GraphObservations) -> tf.Tensor:
    """int64 [batch], observations of each light curve."""
    batch = tf.size(observations.problem, tf.int64)
    ones = tf.ones_like(observations.row)
    return tf.math.unsorted_segment_sum(ones, observations.row, batch)


def _at_most(received: tf.Tensor, most: int, what: str, flag: str, advice: str) -> tf.Operation:
    rule = f"This model takes at most {most} {what}; --serve-max-{flag} set it. {advice} Received:"
    return tf.debugging.Assert(received <= most, [rule, received])
