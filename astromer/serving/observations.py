"""Batches of light curves, in whatever form they come, as observations end to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from astromer.records.codec import ParsedLightCurves, parse_lists, parse_records
from astromer.serving.status import STATUS_OK, STATUS_UNEQUAL, STATUS_UNREADABLE


class Observations(NamedTuple):
    """The N observations of a batch of light curves, in no particular order.

    Attributes:
        mjd: float64 [N], days.
        mag: float32 [N].
        errmag: float32 [N], NaN where unknown.
        row: int64 [N], the light curve of each observation.
        position: int64 [N], its place in the input row.
        problem: int32 [batch], why a light curve cannot be read (see ``status``), 0 where it can;
            those that cannot have no observations.
    """

    mjd: tf.Tensor
    mag: tf.Tensor
    errmag: tf.Tensor
    row: tf.Tensor
    position: tf.Tensor
    problem: tf.Tensor

    def only(self, kept: tf.Tensor) -> Observations:
        """The observations that are True in ``kept``, bool [N]."""
        fields = [tf.boolean_mask(values, kept) for values in self[:-1]]
        return Observations._make([*fields, self.problem])

    @property
    def place(self) -> tf.Tensor:
        """int64 [N, 2], row and position."""
        return tf.stack([self.row, self.position], axis=1)


OBSERVATIONS = Observations(
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


def after(checks: Sequence[Any], *inputs: tf.Tensor) -> list[tf.Tensor]:
    """The inputs, which wait for the checks.

    A graph runs checks beside the rest: what fails for the same reason could fail first, with a
    message that says nothing.
    """
    with tf.control_dependencies([check for check in checks if check is not None]):
        return [tf.identity(values) for values in inputs]


def owners(counts: tf.Tensor) -> tf.Tensor:
    """int64 [sum(counts)], the row of each of ``counts`` int64 [rows] things that lie in order."""
    # tf.repeat would make a matrix of rows by the largest count.
    total = tf.reduce_sum(counts)
    starts = tf.cumsum(counts, exclusive=True)
    begun = tf.math.unsorted_segment_sum(tf.ones_like(counts), starts, total + 1)
    return tf.cumsum(begun)[:total] - 1


def from_padded(
    mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
) -> Observations:
    """From arrays [batch, steps] and the number of real steps of each row, int64 [batch].

    Raises:
        tf.errors.InvalidArgumentError: the arrays are not of one shape.
    """
    shape = tf.shape(mjd, tf.int64)
    checks = [
        tf.debugging.assert_equal(
            tf.shape(other, tf.int64), shape, f"{name} must have the shape of mjd"
        )
        for name, other in (("mag", mag), ("errmag", errmag))
    ]
    checks.append(
        tf.debugging.assert_equal(
            tf.shape(length, tf.int64), shape[:1], "length must have one value for each row of mjd"
        )
    )
    mjd, mag, errmag, length = after(checks, mjd, mag, errmag, length)
    wrong = (length < 0) | (length > shape[1])
    inside = tf.range(shape[1])[None, :] < tf.where(wrong, tf.zeros_like(length), length)[:, None]
    place = tf.where(inside)
    return Observations(
        mjd=tf.boolean_mask(mjd, inside),
        mag=tf.boolean_mask(mag, inside),
        errmag=tf.boolean_mask(errmag, inside),
        row=place[:, 0],
        position=place[:, 1],
        problem=tf.where(wrong, STATUS_UNEQUAL, STATUS_OK),
    )


def from_flat(mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor) -> Observations:
    """From series [N], curve after curve, and the observations of each, int64 [batch].

    Raises:
        tf.errors.InvalidArgumentError: the series are not equally long, or the lengths do not
            add up to theirs: where each light curve starts is then unknown.
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
) -> Observations:
    """From rows [batch, None]; a row whose errors are empty has unknown ones.

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
    """Ragged rows of any type of float and index as :func:`from_ragged` takes them."""
    return ParsedLightCurves(
        *(
            series.with_values(tf.cast(series.values, spec.dtype)).with_row_splits_dtype(tf.int64)
            for series, spec in zip((mjd, mag, errmag), ROWS)
        )
    )


def parse_examples(examples: tf.Tensor) -> tuple[ParsedLightCurves, tf.Tensor]:
    """The rows of serialized SequenceExamples, string [batch]; a bad one spoils no other.

    Returns:
        The light curves, and bool [batch], whether there is one; see :func:`from_ragged`.
    """
    readable = _readable(examples)
    parsed = parse_records(tf.where(readable, examples, ""))
    return as_rows(*parsed.curves), readable & parsed.has_series


def _readable(examples: tf.Tensor) -> tf.Tensor:
    """bool [batch], which records the parser takes.

    It refuses a batch for one bad record and does not say which, so each is tried by itself,
    in a dataset that passes over errors: graphs have no other way to catch one.
    """
    count = tf.size(examples, tf.int64)

    @tf.autograph.experimental.do_not_convert
    def tried(index: tf.Tensor, example: tf.Tensor) -> tf.Tensor:
        lists = parse_lists(example[None])
        # The parser must not be optimised away.
        sizes = [tf.size(series.flat_values, tf.int64) for series in lists.values()]
        return index + 0 * tf.add_n(sizes)

    records = tf.data.Dataset.zip(
        (tf.data.Dataset.range(count), tf.data.Dataset.from_tensor_slices(examples))
    )
    taken = records.map(tried).ignore_errors().concatenate(tf.data.Dataset.from_tensors(count))
    index = taken.batch(count + 1).get_single_element()
    return tf.scatter_nd(index[:, None], tf.ones_like(index, tf.bool), count[None] + 1)[:count]


def _in_order(
    mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor, problem: tf.Tensor
) -> Observations:
    row = owners(length)
    first = tf.cumsum(length, exclusive=True)
    position = tf.range(tf.size(row, tf.int64)) - tf.gather(first, row)
    return Observations(mjd, mag, errmag, row, position, problem)
