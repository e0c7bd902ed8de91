"""What tells light curves apart: digests of their names, stars and observations."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from astromer.records.context import Context
from astromer.records.reader import RecordBatch
from astromer.records.star import star_key

_BYTES = 16


@dataclass(frozen=True)
class Identities:
    """The identities of n light curves; about 100 bytes each.

    Attributes:
        name: uint64 [n, 2], digest of id and band; zero where there is no id.
        star: uint64 [n, 2], digest of the star's name, however it is written; zero where there
            is no id.
        curve: uint64 [n, 2], digest of the float32 times and magnitudes in order of time; zero
            where there are none.
        gone: bool [n], the light curve is rejected for what it is itself.
        split: int8 [n], index in SPLITS.
        file: int32 [n], index among the split's files.
        record: int64 [n], index in the file, counted from 0.
        object_id: str [n], as objects.
    """

    name: np.ndarray
    star: np.ndarray
    curve: np.ndarray
    gone: np.ndarray
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
            gone=np.empty(0, bool),
            split=np.empty(0, np.int8),
            file=np.empty(0, np.int32),
            record=np.empty(0, np.int64),
            object_id=np.empty(0, object),
        )


def identify(batch: RecordBatch, kept: np.ndarray, split: int, file: int) -> Identities:
    """The identities of the light curves of a batch of B.

    Times count as float32: older records hold no more, and a copy of one is a copy.

    Args:
        batch: read leniently.
        kept: bool [B], False for light curves that are rejected for what they are themselves.
        split, file: indices of its split, and of the file in the split.
    """
    chosen = batch.contexts()
    count = len(batch)
    return Identities(
        name=_digests(_named(_trimmed(c.id), c.band) for c in chosen),
        star=_digests(star_key(c.id, c.band).encode() for c in chosen),
        curve=_digests(_observations(batch)),
        gone=~kept,
        split=np.full(count, split, np.int8),
        file=np.full(count, file, np.int32),
        record=batch.first_record + np.arange(count, dtype=np.int64),
        object_id=_names(chosen),
    )


def _trimmed(name: str) -> str:
    return " ".join(name.split())


def _named(name: str, band: str) -> bytes:
    return f"{name}\0{band.strip()}".encode() if name else b""


def _observations(batch: RecordBatch) -> Iterator[bytes]:
    """Times and magnitudes of each curve, in order of time."""
    mjd, mag, offsets = batch.mjd.astype(np.float32), batch.mag, batch.offsets
    curve = np.repeat(np.arange(len(batch)), batch.lengths)
    # Times that float32 makes equal are put in order, too: a copy may have them in another.
    if ((np.diff(mjd) <= 0) & (np.diff(curve) == 0)).any():
        order = np.lexsort((mag, mjd, curve))
        mjd, mag = mjd[order], mag[order]
    for start, stop in itertools.pairwise(offsets.tolist()):
        yield mjd[start:stop].tobytes() + mag[start:stop].tobytes()


def _names(contexts: list[Context]) -> np.ndarray:
    return np.array([context.id for context in contexts], dtype=object)


def _digests(values: Iterable[bytes]) -> np.ndarray:
    nothing = bytes(_BYTES)
    joined = b"".join(
        hashlib.blake2b(value, digest_size=_BYTES).digest() if value else nothing
        for value in values
    )
    return np.frombuffer(joined, np.uint64).reshape(-1, 2)
