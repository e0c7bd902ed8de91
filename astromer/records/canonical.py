"""Any understood record as a canonical one: three lists of one Feature each, known names and types.

Programs that read features by name, such as TensorFlow Data Validation, need this; the
readers of this package understand every layout by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from astromer.records.codec import OLDER_SERIES, RESIDUAL, SERIES
from astromer.records.context import as_text
from astromer.records.framing import MAKE_AGAIN
from astromer.system.errors import RecordError

_TEXTS = ("id", "class", "band")
_INT64 = 2.0**63

Kinds = dict[str, str]
"""The types of features that are not series, by name, as far as they are known."""


def parse_record(serialized: bytes, place: str) -> tf.train.SequenceExample:
    """A record as a message.

    Args:
        serialized: the record.
        place: names it in the error; see :func:`astromer.records.framing.where`.

    Raises:
        RecordError: it is none. TensorFlow's own parser, which reads the series, passes over
            mistakes elsewhere in a record that protobuf refuses.
    """
    try:
        return tf.train.SequenceExample.FromString(serialized)
    except DecodeError:
        raise RecordError(
            f"{place} is not a tf.train.SequenceExample, so it is no light curve. {MAKE_AGAIN}"
        ) from None


def canonicalise(serialized: bytes, kinds: Kinds | None = None, place: str = "the record") -> bytes:
    """Renames ``dim_0, dim_1, dim_2`` and joins lists spread over several Features.

    Args:
        serialized: a record that :func:`astromer.records.reader.iterate_batches` accepts.
        kinds: given for one record after another, makes features of one name have one type:
            text for id, class and band, for others that of the first record. What cannot be
            converted is left out; a type of its own in one record stops TFX for all.
        place: names the record in errors.

    Returns:
        The record with its context and all other lists kept; a canonical record unchanged.

    Raises:
        RecordError: see :func:`parse_record`.
    """
    record = parse_record(serialized, place)
    lists = record.feature_lists.feature_list
    changed = kinds is not None and _unify(record, kinds)
    for name, older in zip(SERIES, OLDER_SERIES):
        if older in lists and not (name in lists and _values(lists[name])):
            lists[name].CopyFrom(lists[older])
            del lists[older]
            changed = True
    for name in (*SERIES, RESIDUAL):
        if name in lists and len(lists[name].feature) != 1:
            values = _values(lists[name])
            del lists[name].feature[:]
            lists[name].feature.add().float_list.value.extend(values)
            changed = True
    return record.SerializeToString(deterministic=True) if changed else serialized


def _unify(record: tf.train.SequenceExample, kinds: Kinds) -> bool:
    """Gives features the types of those before them; whether anything changed."""
    changed = False
    context, lists = record.context.feature, record.feature_lists.feature_list
    for name in list(context):
        kind = context[name].WhichOneof("kind")
        if kind is None:
            continue
        wanted = "bytes_list" if name.lower() in _TEXTS else kinds.setdefault(name, kind)
        if kind != wanted:
            values = _converted(getattr(context[name], kind).value, wanted)
            del context[name]
            if values:
                getattr(context[name], wanted).value.extend(values)
            changed = True
    for name in [name for name in lists if name not in (*SERIES, RESIDUAL, *OLDER_SERIES)]:
        found = {feature.WhichOneof("kind") for feature in lists[name].feature} - {None}
        if found and found != {kinds.setdefault(f"{name} (list)", min(found))}:
            del lists[name]
            changed = True
    return changed


def _converted(values: Iterable[bytes | int | float], kind: str) -> list:
    """The values in another type; none where one has no such."""
    try:
        if kind == "bytes_list":
            return [as_text(value).encode() for value in values]
        numbers = [float(value) for value in values]
        if kind == "float_list":
            return numbers
        whole = all(n.is_integer() and abs(n) < _INT64 for n in numbers)
        return [int(n) for n in numbers] if whole else []
    except (ValueError, OverflowError):
        return []


def complete_errors(serialized: bytes, errmag: np.ndarray) -> bytes:
    """A canonical record whose missing errors, if any, are taken from ``errmag``, float32 [n]."""
    record = tf.train.SequenceExample.FromString(serialized)
    errors = record.feature_lists.feature_list["errmag"]
    before = _values(errors)
    if len(before) == len(errmag) and not np.isnan(before).any():
        return serialized
    del errors.feature[:]
    errors.feature.add().float_list.value.extend(errmag.tolist())
    return record.SerializeToString(deterministic=True)


def read_series(serialized: bytes, place: str = "the record") -> tuple[np.ndarray, ...]:
    """mjd (float64), mag and errmag (float32) of a record as they are, equally long or not.

    Raises:
        RecordError: see :func:`parse_record`.
    """
    lists = parse_record(serialized, place).feature_lists.feature_list
    mjd, mag, errmag = (
        np.array([*_values(lists[name]), *_values(lists[older])], np.float32)
        for name, older in zip(SERIES, OLDER_SERIES)
    )
    times = mjd.astype(np.float64)
    residual = _values(lists[RESIDUAL])
    if len(residual) == len(times):
        times += residual
    return times, mag, errmag


def _values(feature_list: tf.train.FeatureList) -> list[float]:
    return [value for feature in feature_list.feature for value in feature.float_list.value]
