"""The one place that knows what a light-curve record looks like inside.

Writing is in :mod:`astromer.records.encoding`, which says what the layout is.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from astromer.records.encoding import RESIDUAL, SERIES, ContextValue, encode_light_curve

__all__ = [
    "OLDER_SERIES",
    "RESIDUAL",
    "SERIES",
    "ContextValue",
    "ParsedLightCurves",
    "ParsedRecords",
    "encode_light_curve",
    "parse_lists",
    "parse_records",
]

OLDER_SERIES = ("dim_0", "dim_1", "dim_2")
"""What an older layout, still in circulation, calls the three series."""


class ParsedLightCurves(NamedTuple):
    """A batch of B parsed records; a list that a record lacks is an empty row.

    Attributes:
        mjd: ragged float64 [B, None], days, with the residual added where there is one.
        mag: ragged float32 [B, None].
        errmag: ragged float32 [B, None].
    """

    mjd: tf.RaggedTensor
    mag: tf.RaggedTensor
    errmag: tf.RaggedTensor


class ParsedRecords(NamedTuple):
    """A batch of B parsed records and what their light curves do not tell.

    Attributes:
        curves: the light curves.
        residual: ragged float32 [B, None], ``mjd_residual`` as recorded [days].
        has_series: bool [B], True where there are lists of times and magnitudes, empty or not.
    """

    curves: ParsedLightCurves
    residual: tf.RaggedTensor
    has_series: tf.Tensor


def parse_records(serialized: tf.Tensor) -> ParsedRecords:
    """Parses a batch of records; works eagerly, in a ``tf.function`` and in a SavedModel.

    Both layouts are understood (``mjd, mag, errmag`` and ``dim_0, dim_1, dim_2``), and
    lists that are spread over many single-value Features.

    Args:
        serialized: string [B], serialized SequenceExamples.

    Raises:
        tf.errors.InvalidArgumentError: a record is no SequenceExample, or one of the
            lists is not a float_list. TensorFlow does not tell which record it was.
    """
    lists = parse_lists(serialized)
    flat = {name: values.merge_dims(1, 2) for name, values in lists.items()}
    pairs = list(zip(SERIES, OLDER_SERIES, strict=True))
    # A record has one of the two names, so joining the rows picks the one that is there.
    mjd, mag, errmag = (tf.concat([flat[name], flat[older]], axis=1) for name, older in pairs)
    has_times, has_magnitudes = (
        lists[name].row_lengths() + lists[older].row_lengths() > 0 for name, older in pairs[:2]
    )
    residual = flat[RESIDUAL]
    curves = ParsedLightCurves(_add_residual(mjd, residual), mag, errmag)
    return ParsedRecords(curves, residual, has_times & has_magnitudes)


def parse_lists(serialized: tf.Tensor) -> dict[str, tf.RaggedTensor]:
    """The lists of a batch of records, ragged float32 [B, None, None], by name.

    Args:
        serialized: string [B].

    Raises:
        tf.errors.InvalidArgumentError: as in :func:`parse_records`.
    """
    names = (*SERIES, RESIDUAL, *OLDER_SERIES)
    features = {name: tf.io.RaggedFeature(tf.float32) for name in names}
    return tf.io.parse_sequence_example(serialized, sequence_features=features)[1]


def _add_residual(mjd: tf.RaggedTensor, residual: tf.RaggedTensor) -> tf.RaggedTensor:
    """float64 mjd plus the residual, in rows where both are equally long."""
    usable = tf.equal(mjd.row_lengths(), residual.row_lengths())
    where = tf.where(tf.repeat(usable, mjd.row_lengths()))
    kept = tf.boolean_mask(residual.values, tf.repeat(usable, residual.row_lengths()))
    times = tf.tensor_scatter_nd_add(
        tf.cast(mjd.values, tf.float64), where, tf.cast(kept, tf.float64)
    )
    return mjd.with_values(times)
