"""Writes one light curve as a serialized ``tf.train.SequenceExample``.

A record has context features (one value each) and the feature lists ``mjd``, ``mag`` and
``errmag``, each one Feature whose float_list is the whole series. float_list is float32,
which keeps 5.6 minutes of an MJD near 59000, so a fourth list, ``mjd_residual``, holds
what float32 lost: ``mjd + mjd_residual`` in float64 is the time to 1e-9 days. Readers
that do not know the fourth list see an ordinary record.

The protobuf wire format is written by hand: protobuf's Python API takes every float
through a Python object, which is slower and needs TensorFlow, and records are made by the
million. How much of a large record is no observations is found without parsing it: a record of
256 MB may hold a hundred million empty messages, each of which takes a hundred bytes once it is
parsed. Wire format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from astromer.light_curves import LightCurve

ContextValue = str | bytes | int | float

SERIES = ("mjd", "mag", "errmag")
"""Feature lists of a record: time [days], magnitude [mag], its 1-sigma error [mag]."""
RESIDUAL = "mjd_residual"
PERIOD = "Period"
"""Context feature of a record: the known period [days]; records without one do not have it."""

_LENGTH_DELIMITED = 2
LARGE = 1 << 22
"""4 MiB: smaller records may hold anything; parsed, they are at most some hundreds of megabytes.
Older records, which have a message for each value, fit with 130,000 observations."""

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
# SequenceExample.feature_lists, FeatureLists.feature_list, its value, FeatureList.feature,
# Feature.float_list, FloatList.value
_PATH = (2, 1, 2, 1, 2, 1)


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
    with np.errstate(over="ignore"):
        mjd32 = mjd.astype(np.float32)
    series = {
        "mjd": mjd32,
        "mag": np.asarray(curve_fields["mag"], np.float32),
        "errmag": np.asarray(curve_fields["errmag"], np.float32),
        RESIDUAL: _residual(mjd, mjd32),
    }
    lengths = {name: len(values) for name, values in series.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"the series of one light curve must be equally long, got {lengths}")
    features = b"".join([_context_entry(name, context[name]) for name in sorted(context)])
    parts = [
        part
        for name, values in series.items()
        for part in (_before_series(name, len(values)), values.astype("<f4", copy=False).tobytes())
    ]
    return _field(1, features) + _field(2, b"".join(parts))


def encode_curve(curve: LightCurve, band: str) -> bytes:
    """Serializes a light curve with the context features that made surveys have: ID, Class, Band,
    Label, and Period where it is known."""
    context: dict[str, ContextValue] = {
        "ID": curve.id,
        "Class": curve.class_name,
        "Band": band,
        "Label": curve.label,
    }
    if curve.period > 0:
        context[PERIOD] = curve.period
    return encode_light_curve({name: getattr(curve, name) for name in SERIES}, context)


def _residual(mjd: np.ndarray, mjd32: np.ndarray) -> np.ndarray:
    """What float32 lost; nothing where the time is not finite, so that it stays what it is."""
    with np.errstate(invalid="ignore"):
        lost: np.ndarray = mjd - mjd32.astype(np.float64)
    return np.where(np.isfinite(lost), lost, 0.0).astype(np.float32)


# Half of the context, such as class and band, and the lengths come again and again.
@functools.lru_cache(maxsize=1 << 12, typed=True)
def _context_entry(name: str, value: ContextValue) -> bytes:
    return _map_entry(name, _feature(name, value))


@functools.lru_cache(maxsize=1 << 14)
def _before_series(name: str, count: int) -> bytes:
    """What comes before the ``count`` values of a feature list."""
    zeros = np.zeros(count, np.float32)
    entry = _map_entry(name, _field(1, _float_feature(zeros)))
    return entry[: len(entry) - zeros.nbytes]


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
    length = len(payload)
    return _TAGS[number] + (_SMALL[length] if length < 128 else _varint(length)) + payload


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


# Made once: a record has some fifty fields, and records are made by the million.
_SMALL = [bytes((value,)) for value in range(128)]
_TAGS = [bytes((number << 3 | _LENGTH_DELIMITED,)) for number in range(4)]


def is_mostly_series(record: bytes) -> bool:
    """Whether all but 4 MiB of a record are values of float_lists, each list in one piece."""
    left = LARGE
    levels = [(0, len(record), 0)]  # start, end, depth in _PATH
    while levels:
        position, end, depth = levels.pop()
        while position < end:
            before = position
            try:
                tag, position = varint(record, position)
                position, length = _skip(record, position, tag & 7)
            except (IndexError, ValueError):
                return True  # damaged: parsing it ends here, too
            start = position - length
            inside = tag & 7 == _DELIMITED and tag >> 3 == _PATH[depth]
            if inside and depth == len(_PATH) - 1:
                left -= start - before  # the values themselves are no overhead
            elif inside:
                left -= start - before
                levels += [(position, end, depth), (start, min(position, end), depth + 1)]
                position = end
            else:
                left -= position - before
            if left < 0:
                return False
    return True


def varint(record: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and the position after it.

    Raises:
        IndexError: it does not end.
        ValueError: it has more than ten bytes.
    """
    value = 0
    for shift in range(0, 70, 7):
        byte = record[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number of more than ten bytes")


def _skip(record: bytes, position: int, kind: int) -> tuple[int, int]:
    """The end of a field, and the length of its content where that is delimited."""
    if kind == _VARINT:
        return varint(record, position)[1], 0
    if kind == _FIXED64:
        return position + 8, 0
    if kind == _FIXED32:
        return position + 4, 0
    if kind == _DELIMITED:
        length, position = varint(record, position)
        return position + length, length
    raise ValueError("a group, or no field")
