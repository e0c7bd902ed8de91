"""Who a record is about: id, label and class, in either of the layouts in circulation."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import tensorflow as tf
from google.protobuf.message import DecodeError

MOST_CHARACTERS = 128


class Context(NamedTuple):
    """Context of one light curve; ``""`` and -1 where the record does not say.

    Of a name with more than 128 characters the end is replaced by a digest.
    """

    id: str
    label: int
    class_name: str
    band: str = ""


def read_context(serialized: bytes) -> Context:
    """Reads id, label, class name and band of a serialized SequenceExample.

    Names are matched without regard to case: ``ID`` (else ``newID``), ``Label``, ``Class``,
    ``Band``.
    """
    # A SequenceExample's context is where an Example has its features (field 1), so
    # parsing it as an Example reads the context and skips the series: twice as fast.
    try:
        features = tf.train.Example.FromString(serialized).features.feature
    except DecodeError:
        return Context("", -1, "")
    by_name = {name.lower(): features[name] for name in features}
    name = _text(by_name.get("id"))
    if not name.strip():
        name = _text(by_name.get("newid"))
    return Context(
        name,
        _integer(by_name.get("label")),
        _text(by_name.get("class")),
        _text(by_name.get("band")),
    )


def _first(feature: tf.train.Feature | None) -> bytes | int | float | None:
    if feature is None:
        return None
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else ()
    return values[0] if values else None


def _text(feature: tf.train.Feature | None) -> str:
    value = _first(feature)
    if value is None:
        return ""
    return _cut(as_text(value))


def as_text(value: bytes | int | float) -> str:
    """A context value as a name; 77.0 is "77", and names of any encoding stay different."""
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _cut(text: str) -> str:
    """Names are kept in arrays in which each takes as much room as the longest."""
    if len(text) <= MOST_CHARACTERS:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{text[: MOST_CHARACTERS - len(digest) - 1]}~{digest}"


def _integer(feature: tf.train.Feature | None) -> int:
    value = _first(feature)
    try:
        return -1 if value is None else int(value)
    except (ValueError, OverflowError):
        return -1
