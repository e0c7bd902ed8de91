"""Reads light-curve records, in either of the two layouts in circulation.

Records are parsed many at a time with TensorFlow (:func:`parse_records`), or one at a time with
protobuf. :mod:`astromer.records.encoding` writes them, and says what the layout is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from astromer.records.encoding import PERIOD, RESIDUAL, SERIES
from astromer.records.framing import MAKE_AGAIN
from astromer.system.errors import RecordError

OLDER_SERIES = ("dim_0", "dim_1", "dim_2")
"""What an older layout, still in circulation, calls the three series."""

MOST_CHARACTERS = 128
"""Of a name. Names are kept in arrays in which each takes as much memory as the longest."""

Kinds = dict[str, str]
"""The types of features that are not series, by name, as far as they are known."""

_KINDS = {**dict.fromkeys(("id", "class", "band"), "bytes_list"), PERIOD.lower(): "float_list"}
_INT64 = 2.0**63


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
    """A batch of B parsed records, with what their light curves do not show.

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
            lists is not a float_list. TensorFlow does not say which record it was.
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


class Context(NamedTuple):
    """Context of one light curve; ``""``, -1 and NaN where the record does not say.

    Of a name with more than 128 characters the end is replaced by a digest. The period is in days;
    one that is not positive and finite counts as unknown.
    """

    id: str
    label: int
    class_name: str
    band: str = ""
    period: float = np.nan


def read_context(serialized: bytes) -> Context:
    """Reads id, label, class name, band and period of a serialized SequenceExample.

    Names are matched without regard to case: ``ID`` (else ``newID``), ``Label``, ``Class``,
    ``Band``, ``Period``.
    """
    try:
        values = {name.lower(): value for name, value in context_values(serialized).items()}
    except DecodeError:
        return Context("", -1, "")
    texts = {
        name: _shorten(_as_text(values[name]))
        for name in ("id", "newid", "class", "band")
        if name in values
    }
    name = texts.get("id", "")
    return Context(
        name if name.strip() else texts.get("newid", ""),
        _integer(values.get("label")),
        texts.get("class", ""),
        texts.get("band", ""),
        _positive(values.get(PERIOD.lower())),
    )


def context_values(serialized: bytes) -> dict[str, bytes | int | float]:
    """The first value of each context feature.

    Raises:
        DecodeError: the record is no message.
    """
    # A SequenceExample's context is where an Example has its features (field 1), so
    # parsing it as an Example reads the context and skips the series: twice as fast.
    first = {}
    for name, feature in tf.train.Example.FromString(serialized).features.feature.items():
        kind = feature.WhichOneof("kind")
        if kind and (values := getattr(feature, kind).value):
            first[name] = values[0]
    return first


def _as_text(value: bytes | int | float) -> str:
    """A context value as a name; 77.0 is "77", and names of any encoding stay different."""
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _shorten(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{text[: MOST_CHARACTERS - len(digest) - 1]}~{digest}"


def _integer(value: bytes | int | float | None) -> int:
    try:
        return -1 if value is None else int(value)
    except (ValueError, OverflowError):
        return -1


def _positive(value: bytes | int | float | None) -> float:
    try:
        number = np.nan if value is None else float(value)
    except (ValueError, OverflowError):
        return np.nan
    return number if 0 < number < np.inf else np.nan


def parse_record(serialized: bytes, location: str) -> tf.train.SequenceExample:
    """A record as a message.

    Args:
        serialized: the record.
        location: names it in the error; see :func:`astromer.records.framing.locate`.

    Raises:
        RecordError: it is none. TensorFlow's own parser, which reads the series, accepts
            mistakes elsewhere in a record that protobuf does not.
    """
    try:
        return tf.train.SequenceExample.FromString(serialized)
    except DecodeError:
        raise not_a_light_curve(location) from None


def not_a_light_curve(location: str) -> RecordError:
    """The error for bytes that are no SequenceExample."""
    return RecordError(
        f"{location} is not a tf.train.SequenceExample, so it is no light curve. {MAKE_AGAIN}"
    )


def canonicalise(
    serialized: bytes, kinds: Kinds | None = None, location: str = "the record"
) -> bytes:
    """A record in the canonical layout: three lists of one Feature each, known names and types.

    Programs that read features by name, such as TensorFlow Data Validation, need this.

    Args:
        serialized: a record that :func:`astromer.records.reader.iterate_batches` accepts.
        kinds: given for one record after another, makes features of one name have one type:
            text for id, class and band, float for the period, for others that of the first
            record. What cannot be converted is left out; a type of its own in one record stops
            TFX for all.
        location: names the record in errors.

    Returns:
        The record with its context and all other lists kept; a canonical record unchanged.

    Raises:
        RecordError: see :func:`parse_record`.
    """
    record = parse_record(serialized, location)
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


def read_series(serialized: bytes, location: str = "the record") -> tuple[np.ndarray, ...]:
    """mjd (float64), mag and errmag (float32) of a record as they are, equally long or not.

    Raises:
        RecordError: see :func:`parse_record`.
    """
    lists = parse_record(serialized, location).feature_lists.feature_list
    mjd, mag, errmag = (
        np.array([*_values(lists[name]), *_values(lists[older])], np.float32)
        for name, older in zip(SERIES, OLDER_SERIES)
    )
    times = mjd.astype(np.float64)
    residual = _values(lists[RESIDUAL])
    if len(residual) == len(times):
        times += residual
    return times, mag, errmag


def _unify(record: tf.train.SequenceExample, kinds: Kinds) -> bool:
    """Gives features the types of those before them; whether anything changed."""
    changed = False
    context, lists = record.context.feature, record.feature_lists.feature_list
    for name in list(context):
        kind = context[name].WhichOneof("kind")
        if kind is None:
            continue
        wanted = _KINDS.get(name.lower()) or kinds.setdefault(name, kind)
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
    """The values in another type; none where one cannot be converted."""
    try:
        if kind == "bytes_list":
            return [_as_text(value).encode() for value in values]
        numbers = [float(value) for value in values]
        if kind == "float_list":
            return numbers
        whole = all(n.is_integer() and abs(n) < _INT64 for n in numbers)
        return [int(n) for n in numbers] if whole else []
    except (ValueError, OverflowError):
        return []


def _values(feature_list: tf.train.FeatureList) -> list[float]:
    return [value for feature in feature_list.feature for value in feature.float_list.value]
