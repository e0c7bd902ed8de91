"""What tells light curves apart: digests of their names, stars and observations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from astromer.records.context import Context
from astromer.records.reader import RecordBatch
from astromer.records.star import star_name

_BYTES = 16


@dataclass(frozen=True)
class Identities:
    """The identities of n light curves; about 100 bytes each.

    Attributes:
        name: uint64 [n, 2], digest of id and band; zero where there is no id.
        star: uint64 [n, 2], digest of the id without its band; zero where there is no id.
        curve: uint64 [n, 2], digest of the float32 times and magnitudes.
        split: int8 [n], index in SPLITS.
        file: int32 [n], index among the split's files.
        record: int64 [n], index in the file, counted from 0.
        object_id: str [n], as objects.
    """

    name: np.ndarray
    star: np.ndarray
    curve: np.ndarray
    split: np.ndarray
    file: np.ndarray
    record: np.ndarray
    object_id: np.ndarray

    def __len__(self) -> int:
        return len(self.record)

    def take(self, rows: np.ndarray) -> Identities:
        """Some of them."""
        return Identities(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[Identities]) -> Identities:
        """All of them."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    @classmethod
    def none(cls) -> Identities:
        """No light curve's."""
        digests = np.empty((0, 2), np.uint64)
        return cls(
            name=digests,
            star=digests,
            curve=digests,
            split=np.empty(0, np.int8),
            file=np.empty(0, np.int32),
            record=np.empty(0, np.int64),
            object_id=np.empty(0, object),
        )


def identify(batch: RecordBatch, rows: np.ndarray, split: int, file: int) -> Identities:
    """The identities of some light curves of a batch.

    Times count as float32: older records hold no more, and a copy of one is a copy.
    """
    contexts = batch.contexts()
    chosen = [contexts[row] for row in rows]
    mjd = batch.mjd.astype(np.float32)
    spans = [slice(batch.offsets[row], batch.offsets[row + 1]) for row in rows]
    count = len(rows)
    return Identities(
        name=_digests(_named(c.id, f"{c.id}\0{c.band}") for c in chosen),
        star=_digests(_named(c.id, star_name(c.id, c.band)) for c in chosen),
        curve=_digests((mjd[span].tobytes() + batch.mag[span].tobytes()) for span in spans),
        split=np.full(count, split, np.int8),
        file=np.full(count, file, np.int32),
        record=batch.first_record + rows.astype(np.int64),
        object_id=_names(chosen),
    )


def _named(name: str, text: str) -> bytes:
    return text.encode() if name else b""


def _names(contexts: list[Context]) -> np.ndarray:
    return np.array([context.id for context in contexts], dtype=object)


def _digests(values: Iterable[bytes]) -> np.ndarray:
    nothing = bytes(_BYTES)
    joined = b"".join(
        hashlib.blake2b(value, digest_size=_BYTES).digest() if value else nothing
        for value in values
    )
    return np.frombuffer(joined, np.uint64).reshape(-1, 2)
