"""Finds objects that occur twice: in one split, in two splits of a fold, or in two folds."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from astromer.records.division import star_key
from astromer.records.fold import SPLITS, Fold
from astromer.records.reader import RecordBatch, iterate_batches
from astromer.system.text import shortened
from astromer.validation.config import OFF, ValidationConfig
from astromer.validation.findings import Finding, Findings

DIGESTS = ("name", "star", "curve")
"""The attributes of :class:`Identities` by which objects are compared, one after the other."""
_RULES = {
    "name": ("duplicate_id",),
    "star": ("leaked_star",),
    "curve": ("duplicate_curve", "leaked_curve"),
}
_TEST = SPLITS.index("test")


class Location(NamedTuple):
    """Of a light curve: indices of split, file in the split and record in the file."""

    split: int
    file: int
    record: int
    object_id: str


class Match(NamedTuple):
    """A light curve that is left out because of another one, which is kept."""

    rule: str
    found: Location
    kept: Location


@dataclass(frozen=True)
class Identities:
    """The identities of n light curves; about 100 bytes each.

    Attributes:
        name: uint64 [n, 2], digest of id and band; zero where there is no id.
        star: uint64 [n, 2], digest of the star's name, however it is written; zero where there
            is no id.
        curve: uint64 [n, 2], digest of the float32 times and magnitudes in order of time; zero
            where there are none.
        rejected: bool [n], the light curve breaks a rule about single light curves.
        split: int8 [n], index in SPLITS.
        file: int32 [n], index among the split's files.
        record: int64 [n], index in the file, counted from 0.
        object_id: str [n], as objects.
    """

    name: np.ndarray
    star: np.ndarray
    curve: np.ndarray
    rejected: np.ndarray
    split: np.ndarray
    file: np.ndarray
    record: np.ndarray
    object_id: np.ndarray

    def __len__(self) -> int:
        return len(self.record)

    def take(self, rows: np.ndarray) -> Identities:
        return Identities(*(getattr(self, field.name)[rows] for field in fields(self)))

    def at(self, rows: np.ndarray) -> list[Location]:
        """The locations of some light curves."""
        columns = (self.split, self.file, self.record, self.object_id)
        return list(map(Location, *(column[rows].tolist() for column in columns)))

    @classmethod
    def concatenate(cls, parts: Sequence[Identities]) -> Identities:
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    @classmethod
    def none(cls) -> Identities:
        """Of no light curves."""
        digests = np.empty((0, 2), np.uint64)
        return cls(
            name=digests,
            star=digests,
            curve=digests,
            rejected=np.empty(0, bool),
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
        kept: bool [B], False for light curves that break a rule about single light curves.
        split, file: indices of its split, and of the file in the split.
    """
    contexts = batch.contexts()
    count = len(batch)
    return Identities(
        name=_digests(_named(c.id, c.band) for c in contexts),
        star=_digests(star_key(c.id, c.band).encode() for c in contexts),
        curve=_digests(_observations(batch)),
        rejected=~kept,
        split=np.full(count, split, np.int8),
        file=np.full(count, file, np.int32),
        record=batch.first_record + np.arange(count, dtype=np.int64),
        object_id=np.array([context.id for context in contexts], dtype=object),
    )


def _named(name: str, band: str) -> bytes:
    name = " ".join(name.split())
    return f"{name}\0{band.strip()}".encode() if name else b""


def _observations(batch: RecordBatch) -> Iterator[bytes]:
    """Times and magnitudes of each curve, in order of time."""
    mjd, mag, offsets = batch.mjd.astype(np.float32), batch.mag, batch.offsets
    curve = np.repeat(np.arange(len(batch)), batch.lengths)
    # Times that float32 makes equal are sorted, too: a copy may have them in another order.
    if ((np.diff(mjd) <= 0) & (np.diff(curve) == 0)).any():
        order = np.lexsort((mag, mjd, curve))
        mjd, mag = mjd[order], mag[order]
    for start, stop in itertools.pairwise(offsets.tolist()):
        yield mjd[start:stop].tobytes() + mag[start:stop].tobytes()


def _digests(values: Iterable[bytes]) -> np.ndarray:
    """uint64 [n, 2]; zero for empty values."""
    joined = b"".join(
        hashlib.blake2b(value, digest_size=16).digest() if value else bytes(16) for value in values
    )
    return np.frombuffer(joined, np.uint64).reshape(-1, 2)


def split_into_buckets(
    identities: Identities, digest: str, count: int
) -> Iterator[tuple[int, Identities]]:
    """Divides identities so that equal digests come together.

    Args:
        identities: to be divided.
        digest: one of DIGESTS.
        count: number of buckets.

    Yields:
        The bucket's number in [0, count), and what falls into it.
    """
    number = (getattr(identities, digest)[:, 0] % np.uint64(count)).astype(np.int64)
    for bucket in np.unique(number):
        yield int(bucket), identities.take(np.flatnonzero(number == bucket))


def find_matches(identities: Identities, digest: str, config: ValidationConfig) -> list[Match]:
    """Finds what occurs twice, in a bucket or among all, by one of DIGESTS.

    Of several in one split the first is kept; of several splits the test keeps its own, then
    the validation split, since training data are the easiest to spare. A light curve that is
    rejected already takes no others with it, but is still reported as a copy of another one.
    """
    values = getattr(identities, digest)
    rows = np.flatnonzero(values.any(axis=1))
    where = (identities.record, identities.file, identities.split, values[:, 1], values[:, 0])
    rows = rows[np.lexsort([key[rows] for key in where])]
    rejected = identities.rejected[rows]
    matches = []
    if digest == "curve":
        matches = _copies_of_kept(identities, rows[rejected], rows[~rejected], config)
    rows = rows[~rejected]
    for rule in _RULES[digest]:
        if getattr(config, rule) == OFF:
            continue
        found, kept = _equal_rows(values, identities.split, rows, rule.startswith("leaked"))
        if digest == "curve":
            # Copies under the same name break the other rules.
            same = identities.star if rule == "leaked_curve" else identities.name
            other = ~((same[found] == same[kept]).all(axis=1) & same[found].any(axis=1))
            found, kept = found[other], kept[other]
        matches += [Match(rule, *pair) for pair in zip(identities.at(found), identities.at(kept))]
    return matches


def _copies_of_kept(
    identities: Identities, rejected: np.ndarray, others: np.ndarray, config: ValidationConfig
) -> list[Match]:
    """Rejected light curves, for instance unsorted ones, with the observations of another."""
    others = others[np.isin(identities.curve[others, 0], identities.curve[rejected, 0])]
    by_digest = {tuple(identities.curve[row].tolist()): row for row in reversed(others)}
    twins = [by_digest.get(tuple(identities.curve[row].tolist())) for row in rejected]
    matches = []
    for found, twin in zip(identities.at(rejected), twins, strict=True):
        if twin is None:
            continue
        [kept] = identities.at(np.array([twin]))
        rule = "duplicate_curve" if kept.split == found.split else "leaked_curve"
        if getattr(config, rule) != OFF:
            matches.append(Match(rule, found, kept))
    return matches


def _equal_rows(
    digest: np.ndarray, split: np.ndarray, rows: np.ndarray, across: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to leave out, and for each the row with an equal digest that is kept.

    Args:
        digest, split: of all identities.
        rows: sorted by digest, split and location.
        across: leaves out what a later split has, else all but the first in a split.
    """
    keys = np.column_stack([digest[rows], split[rows].astype(np.uint64)])
    kept = _first_of_run(keys)
    if across:
        group = _first_of_run(keys[:, :2])
        last = np.zeros(len(rows), np.int64)
        last[group] = kept  # of several values for a group the last is kept
        kept = last[group]
        found = np.flatnonzero(keys[:, 2] != keys[kept, 2])
    else:
        found = np.flatnonzero(kept != np.arange(len(rows)))
    return rows[found], rows[kept[found]]


def _first_of_run(keys: np.ndarray) -> np.ndarray:
    """int64 [n], for each row the first row of its run of equal keys."""
    starts = np.ones(len(keys), bool)
    starts[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return np.maximum.accumulate(np.where(starts, np.arange(len(keys)), 0))


def shared_test_stars(folds: Mapping[str, Fold]) -> Findings:
    """Light curves of the test splits that are in an earlier fold's test split, too.

    A star is recognised by its name, and a copy under another name by its observations.

    Args:
        folds: by a unique name.

    Returns:
        A finding for each, in the order of the folds.
    """
    findings = Findings()
    stars: dict[bytes, str] = {}
    curves: dict[bytes, tuple[str, str]] = {}
    for name, fold in folds.items():
        for batch in iterate_batches(fold.files["test"], strict=False):
            identities = identify(batch, np.ones(len(batch), bool), _TEST, 0)
            rows = zip(identities.star, identities.curve, identities.object_id, strict=True)
            for row, (star, curve, object_id) in enumerate(rows):
                detail = ""
                if star.any() and stars.setdefault(star.tobytes(), name) != name:
                    detail = f"is in the test split of {stars[star.tobytes()]} too"
                if curve.any():
                    where, twin = curves.setdefault(curve.tobytes(), (name, object_id))
                    if where != name and not detail:
                        other = shortened(twin) or "an object without id"
                        detail = f"has the observations of {other} in the test split of {where}"
                if detail:
                    at = (str(batch.file), batch.first_record + row)
                    findings.append(Finding("shared_test_star", "test", *at, object_id, detail))
    return findings
