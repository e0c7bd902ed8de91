"""One light curve as a serialized ``tf.train.SequenceExample``, and back.

A record has context features (one value each) and the feature lists ``mjd``, ``mag`` and
``errmag``, each one Feature whose float_list is the whole series. float_list is float32,
which keeps 5.6 minutes of an MJD near 59000, so a fourth list, ``mjd_residual``, holds
what float32 lost: ``mjd + mjd_residual`` in float64 is the time to 1e-9 days. Readers
that do not know the fourth list see an ordinary record.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple, Union

import numpy as np
import tensorflow as tf

ContextValue = Union[str, bytes, int, float]

SERIES = ("mjd", "mag", "errmag")
"""Feature lists of a record: time [days], magnitude [mag], its 1-sigma error [mag]."""
RESIDUAL = "mjd_residual"
OLDER_SERIES = ("dim_0", "dim_1", "dim_2")
"""What an older layout, still in circulation, calls the three series."""

_LENGTH_DELIMITED = 2


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


def encode_light_curve(
    curve_fields: Mapping[str, np.ndarray], context: Mapping[str, ContextValue]
) -> bytes:
    """Serializes one light curve.

    Args:
        curve_fields: ``mjd`` (float64, days), ``mag`` and ``errmag``, equally long [n].
        context: context features; str and bytes become bytes_list, int int64_list,
            float float_list. Equal input gives equal bytes.

    Raises:
        ValueError: the series are not equally long.
        TypeError: a context value is of another type.
    """
    mjd = np.asarray(curve_fields["mjd"], np.float64)
    mjd32 = mjd.astype(np.float32)
    series = {
        "mjd": mjd32,
        "mag": np.asarray(curve_fields["mag"], np.float32),
        "errmag": np.asarray(curve_fields["errmag"], np.float32),
        RESIDUAL: (mjd - mjd32.astype(np.float64)).astype(np.float32),
    }
    lengths = {name: len(values) for name, values in series.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"the series of one light curve must be equally long, got {lengths}")
    features = b"".join(
        _map_entry(name, _feature(name, context[name])) for name in sorted(context)
    )
    lists = b"".join(
        _map_entry(name, _field(1, _float_feature(values))) for name, values in series.items()
    )
    return _field(1, features) + _field(2, lists)


def parse_light_curves(serialized: tf.Tensor) -> ParsedLightCurves:
    """Parses a batch of records; works eagerly, in a ``tf.function`` and in a SavedModel.

    Both layouts are understood (``mjd, mag, errmag`` and ``dim_0, dim_1, dim_2``), and
    lists that are spread over many single-value Features.

    Args:
        serialized: string [B], serialized SequenceExamples.

    Raises:
        tf.errors.InvalidArgumentError: a record is no SequenceExample, or one of the
            lists is not a float_list. TensorFlow does not tell which record it was.
    """
    names = (*SERIES, RESIDUAL, *OLDER_SERIES)
    _, lists, _ = tf.io.parse_sequence_example(
        serialized, sequence_features={name: tf.io.RaggedFeature(tf.float32) for name in names}
    )
    flat = {name: lists[name].merge_dims(1, 2) for name in names}
    # A record has one of the two names, so joining the rows picks the one that is there.
    mjd, mag, errmag = (
        tf.concat([flat[name], flat[older]], axis=1)
        for name, older in zip(SERIES, OLDER_SERIES)
    )
    return ParsedLightCurves(_add_residual(mjd, flat[RESIDUAL]), mag, errmag)


def _add_residual(mjd: tf.RaggedTensor, residual: tf.RaggedTensor) -> tf.RaggedTensor:
    """float64 mjd plus the residual, in rows where both are equally long."""
    usable = tf.equal(mjd.row_lengths(), residual.row_lengths())
    where = tf.where(tf.repeat(usable, mjd.row_lengths()))
    kept = tf.boolean_mask(residual.values, tf.repeat(usable, residual.row_lengths()))
    times = tf.tensor_scatter_nd_add(
        tf.cast(mjd.values, tf.float64), where, tf.cast(kept, tf.float64)
    )
    return mjd.with_values(times)


# The writing half is protobuf's wire format by hand: its Python API takes every float
# through a Python object and is five times slower, and records are made by the million.


def _feature(name: str, value: ContextValue) -> bytes:
    """A ``tf.train.Feature`` with one value."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return _field(1, _field(1, value))
    if isinstance(value, (int, np.integer)):
        return _field(3, _field(1, _varint(int(value) & 0xFFFFFFFFFFFFFFFF)))
    if isinstance(value, (float, np.floating)):
        return _float_feature(np.array([value], np.float32))
    raise TypeError(f"context feature {name!r} must be str, int or float, got {type(value)}")


def _float_feature(values: np.ndarray) -> bytes:
    return _field(2, _field(1, values.astype("<f4", copy=False).tobytes()))


def _map_entry(key: str, value: bytes) -> bytes:
    return _field(1, _field(1, key.encode()) + _field(2, value))


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited field."""
    return bytes((number << 3 | _LENGTH_DELIMITED,)) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
