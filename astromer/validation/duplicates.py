"""Objects that occur twice: in one split, or in two, where one would leak into the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from astromer.validation.config import ValidationConfig
from astromer.validation.identity import Identities
from astromer.validation.rules import OFF

KINDS = ("name", "star", "curve")
"""The digests that objects are compared by, each on its own."""

_RULES = {
    "name": ("duplicate_id",),
    "star": ("leaked_star",),
    "curve": ("duplicate_curve", "leaked_curve"),
}


class Place(NamedTuple):
    """Where a light curve is: indices of split, file in the split and record in the file."""

    split: int
    file: int
    record: int
    object_id: str


class Match(NamedTuple):
    """A light curve that is to go because of another, which stays."""

    rule: str
    found: Place
    kept: Place


def buckets(identities: Identities, kind: str, count: int) -> Iterator[tuple[int, Identities]]:
    """Divides identities so that equal ones of a kind come together, for any number of parts.

    Yields:
        The bucket's number in [0, count), and what falls into it.
    """
    number = (getattr(identities, kind)[:, 0] % np.uint64(count)).astype(np.int64)
    for bucket in np.unique(number):
        yield int(bucket), identities.take(np.flatnonzero(number == bucket))


def find_matches(identities: Identities, kind: str, config: ValidationConfig) -> list[Match]:
    """Finds what occurs twice, in a bucket or among all.

    Of several in one split the first stays; of several splits the test keeps its own, then
    the validation split: training data are the ones to spare. What is rejected for what it is
    itself takes no others with it; that its observations are those of another is still told.
    """
    digest = getattr(identities, kind)
    rows = np.flatnonzero(digest.any(axis=1))
    where = (identities.record, identities.file, identities.split, digest[:, 1], digest[:, 0])
    rows = rows[np.lexsort([key[rows] for key in where])]
    gone = identities.gone[rows]
    matches = _known(identities, rows[gone], rows[~gone], config) if kind == "curve" else []
    rows = rows[~gone]
    if not len(rows):
        return matches
    groups = _Groups(identities, digest, rows)
    for rule in _RULES[kind]:
        if getattr(config, rule) == OFF:
            continue
        found, kept = groups.across_splits() if rule.startswith("leaked") else groups.in_split()
        if kind == "curve":
            # Under the same name it is the other rules' business.
            same = identities.star if rule == "leaked_curve" else identities.name
            other = ~((same[found] == same[kept]).all(axis=1) & same[found].any(axis=1))
            found, kept = found[other], kept[other]
        pairs = zip(_places(identities, found), _places(identities, kept), strict=True)
        matches += [Match(rule, *pair) for pair in pairs]
    return matches


def _known(
    identities: Identities, gone: np.ndarray, others: np.ndarray, config: ValidationConfig
) -> list[Match]:
    """Rejected light curves, for instance unsorted ones, with the observations of another."""
    others = others[np.isin(identities.curve[others, 0], identities.curve[gone, 0])]
    by_digest = {tuple(identities.curve[row].tolist()): row for row in reversed(others)}
    matches = []
    for place, row in zip(_places(identities, gone), gone, strict=True):
        twin = by_digest.get(tuple(identities.curve[row].tolist()))
        if twin is None:
            continue
        kept = _places(identities, np.array([twin]))[0]
        rule = "duplicate_curve" if kept.split == place.split else "leaked_curve"
        if getattr(config, rule) != OFF:
            matches.append(Match(rule, place, kept))
    return matches


@dataclass(frozen=True)
class _Groups:
    """Rows sorted by digest, split and place."""

    identities: Identities
    digest: np.ndarray
    rows: np.ndarray

    def in_split(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows of all but the first of equal ones in a split, and the row of that first."""
        first = _first_of_run(np.column_stack([self.digest[self.rows], self._split()]))
        return self._pairs(first)

    def across_splits(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows that have an equal one in a later split, and that one's row."""
        keys = np.column_stack([self.digest[self.rows], self._split()])
        run = _first_of_run(keys)  # of the same digest and split
        group = _first_of_run(keys[:, :2])
        last_run = np.zeros(len(self.rows), np.int64)
        last_run[group] = run  # of several values for a group the last is kept
        kept = last_run[group]
        found = np.flatnonzero(self._split() != self._split()[kept])
        return self.rows[found], self.rows[kept[found]]

    def _split(self) -> np.ndarray:
        return self.identities.split[self.rows].astype(np.uint64)

    def _pairs(self, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = np.flatnonzero(first != np.arange(len(first)))
        return self.rows[found], self.rows[first[found]]


def _first_of_run(keys: np.ndarray) -> np.ndarray:
    """int64 [n], for each row the first row of its run of equal keys."""
    starts = np.ones(len(keys), bool)
    starts[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return np.maximum.accumulate(np.where(starts, np.arange(len(keys)), 0))


def _places(identities: Identities, rows: np.ndarray) -> list[Place]:
    columns = (identities.split, identities.file, identities.record, identities.object_id)
    return list(map(Place, *(column[rows].tolist() for column in columns)))
