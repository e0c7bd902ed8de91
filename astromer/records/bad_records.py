"""The slow look at records that names what is wrong with one, and where it is."""

from __future__ import annotations

import warnings
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError

from astromer.records.codec import OLDER_SERIES, RESIDUAL, SERIES
from astromer.records.context import read_context
from astromer.records.framing import MAKE_AGAIN, compression_of, where
from astromer.system.errors import LightCurveError, RecordError
from astromer.system.text import shortened


def find_bad_record(file: Path, *, strict: bool = True) -> None:
    """Reads a file record by record and raises for the first bad one.

    Raises:
        RecordError: a record is corrupt, cut off, or no light curve.
        LightCurveError: with ``strict``, a curve is empty or its series are not equally long.
    """
    index = 0
    try:
        dataset = tf.data.TFRecordDataset(str(file), compression_type=compression_of(file))
        for record in dataset:
            explain_record(record.numpy(), file, index, strict=strict)
            index += 1
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
        raise RecordError(
            f"{where(file, index)} is corrupt (wrong checksum). {MAKE_AGAIN}"
        ) from None


def explain_record(serialized: bytes, file: Path, index: int, *, strict: bool = True) -> None:
    """Raises what is wrong with one record; returns where nothing is.

    Raises:
        RecordError: it is no SequenceExample, or a list has a wrong type; with ``strict``,
            it lacks a list.
        LightCurveError: with ``strict``, the curve is empty or its series are not equally long.
    """
    place = where(file, index)
    record = _parse(serialized)
    if record is None:
        raise RecordError(
            f"{place} is not a tf.train.SequenceExample, so it is no light curve. {MAKE_AGAIN}"
        )
    lists = record.feature_lists.feature_list
    if not lists and not _is_object(serialized):
        inside = ", ".join(sorted(record.context.feature)) or "nothing"
        raise RecordError(
            f"{place} has no series (feature lists {', '.join(SERIES)}); it holds {inside}. Is it "
            "a tf.train.Example? Light curves are tf.train.SequenceExample records."
        )
    place += of_object(serialized)
    if strict and not lists:
        raise LightCurveError(f"{place} is an empty light curve. Leave such objects out.")
    older = any(name in lists for name in OLDER_SERIES) and "mag" not in lists
    names = OLDER_SERIES if older else SERIES
    lengths = {name: _length(lists, name, place) for name in names if strict or name in lists}
    if RESIDUAL in lists:
        _length(lists, RESIDUAL, place)
    if not strict:
        return
    if not any(lengths.values()):
        raise LightCurveError(f"{place} is an empty light curve. Leave such objects out.")
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise LightCurveError(
            f"{place} has series of unequal length: {counts}. Each observation needs all three."
        )


def _parse(serialized: bytes) -> tf.train.SequenceExample | None:
    """The record, or None for what is no such message; some of that protobuf only warns of."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            record = tf.train.SequenceExample.FromString(serialized)
        except DecodeError:
            return None
    return None if said else record


def _is_object(serialized: bytes) -> bool:
    """Whether a record without any feature list is a light curve that lost them.

    It has a name, and one value of each context feature; the features of a tf.train.Example
    lie in the same place, but hold the series.
    """
    features = tf.train.Example.FromString(serialized).features.feature
    single = all(_count(feature) <= 1 for feature in features.values())
    series = {*SERIES, *OLDER_SERIES, RESIDUAL}.intersection(features)
    return single and not series and bool(read_context(serialized).id)


def _count(feature: tf.train.Feature) -> int:
    kind = feature.WhichOneof("kind")
    return len(getattr(feature, kind).value) if kind else 0


def of_object(serialized: bytes) -> str:
    """`` (object ...)``, or nothing where the record does not say."""
    name = read_context(serialized).id
    return f" (object {shortened(name)})" if name else ""


def _length(lists: tf.train.FeatureLists, name: str, place: str) -> int:
    if name not in lists:
        raise RecordError(
            f"{place} lacks the feature list {name!r}; it has {', '.join(sorted(lists))}."
        )
    total = 0
    for feature in lists[name].feature:
        kind = feature.WhichOneof("kind")
        if kind not in (None, "float_list"):
            raise RecordError(f"{place}: {name!r} must be a float_list, it is a {kind}.")
        total += len(feature.float_list.value)
    return total
