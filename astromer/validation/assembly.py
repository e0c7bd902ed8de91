"""Puts the looks at single files and the matches between them together."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from astromer.light_curves import LightCurve
from astromer.records.config import MissingErrorsConfig
from astromer.records.fold import SPLITS
from astromer.system.errors import DataNotFoundError
from astromer.system.text import shortened
from astromer.validation.config import ValidationConfig
from astromer.validation.duplicates import Match, Place
from astromer.validation.file_check import FileLook, SecondLook, look_again
from astromer.validation.findings import Finding, Findings
from astromer.validation.profile import SplitProfile
from astromer.validation.result import OFFENDERS_PER_RULE, Validation
from astromer.validation.rules import WARN, all_rules

Sources = Mapping[str, Sequence[tuple[str, int]]]
"""By split, the files that a user knows and how many records of each were read, in order."""


def assemble(
    files: Mapping[str, Sequence[Path]],
    looks: Iterable[FileLook],
    matches: Iterable[Match],
    config: ValidationConfig,
    sources: Sources | None = None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> Validation:
    """Makes the result.

    Args:
        files: the record files by split.
        looks: one for each file.
        matches: from all buckets and kinds.
        config: tells what is rejected.
        sources: where the records came from, if the files are copies. Findings name these.
        errors: how missing errors were filled in for the looks.

    Raises:
        DataNotFoundError: a split has no light curves at all.
    """
    by_file = {(look.split, look.file): look for look in looks}
    ordered = [by_file[key] for key in sorted(by_file)]
    places = _Places(files, ordered, sources)
    found = _in_order(ordered, matches, places)
    gone = {at for at, finding in found if getattr(config, finding.rule) != WARN}
    again = _look_again(files, by_file, found, gone, errors)
    curves = {split: places.counts[number] for number, split in enumerate(SPLITS)}
    for split, count in curves.items():
        if not count:
            raise DataNotFoundError(
                f"the {split} split holds no light curves: its {len(files[split])} record file(s) "
                "have no records. Make records with python -m astromer create_records."
            )
    return Validation(
        curves=curves,
        findings=Findings(finding for _, finding in found),
        rejected={
            split: np.array(sorted(places.position(p) for p in gone if p[0] == number), np.int64)
            for number, split in enumerate(SPLITS)
        },
        profiles=_profiles(ordered, again),
        offenders=_offenders(by_file, found, again),
        warned=frozenset(rule.name for rule in all_rules(config) if rule.severity == WARN),
    )


_File = tuple[int, int]
"""Indices of split and file."""
_At = tuple[int, int, int]
"""Indices of split, file and record."""


class _Places:
    """Translates between records in files, positions in splits and names for users."""

    def __init__(
        self,
        files: Mapping[str, Sequence[Path]],
        looks: Sequence[FileLook],
        sources: Sources | None,
    ) -> None:
        self.counts = [0] * len(SPLITS)
        self._first: dict[_File, int] = {}
        for look in looks:
            self._first[look.split, look.file] = self.counts[look.split]
            self.counts[look.split] += look.curves
        self._names: list[list[str]] = []
        self._starts: list[list[int]] = []
        for number, split in enumerate(SPLITS):
            given = sources[split] if sources else None
            of_split = [look for look in looks if look.split == number]
            parts = given or [(str(files[split][k.file]), k.curves) for k in of_split]
            self._names.append([name for name, _ in parts])
            counts = [count for _, count in parts]
            self._starts.append([0, *np.cumsum(counts).tolist()][: len(counts)])

    def position(self, at: _At) -> int:
        split, file, record = at
        return self._first[split, file] + record

    def name(self, at: _At) -> tuple[str, int]:
        """File and record as the user knows them."""
        position = self.position(at)
        starts = self._starts[at[0]]
        index = bisect.bisect_right(starts, position) - 1
        return self._names[at[0]][index], position - starts[index]


def _in_order(
    looks: Sequence[FileLook], matches: Iterable[Match], places: _Places
) -> list[tuple[_At, Finding]]:
    """Findings in the order of splits, files, records and rules."""
    found: list[tuple[_At, Finding]] = []
    for look in looks:
        split = SPLITS[look.split]
        for breach in look.breaches:
            at = (look.split, look.file, breach.record)
            name = places.name(at)
            found.append((at, Finding(breach.rule, split, *name, breach.object_id, breach.detail)))
    for match in matches:
        at = match.found[:3]
        name = places.name(at)
        split = SPLITS[match.found.split]
        detail = _say(match, places)
        found.append((at, Finding(match.rule, split, *name, match.found.object_id, detail)))
    rank = {rule.name: number for number, rule in enumerate(all_rules())}
    return sorted(found, key=lambda item: (item[0], rank[item[1].rule]))


_SAID = {
    "duplicate_id": "has the id and band of",
    "duplicate_curve": "has the observations of",
    "leaked_star": "is the star of",
    "leaked_curve": "has the observations of",
}


def _say(match: Match, places: _Places) -> str:
    kept: Place = match.kept
    file, record = places.name(kept[:3])
    other = kept.object_id if kept.object_id != match.found.object_id else ""
    name = f"object {shortened(other, 40)}, " if other else ""
    return f"{_SAID[match.rule]} {name}record {record} of {file} in {SPLITS[kept.split]}"


def _look_again(
    files: Mapping[str, Sequence[Path]],
    by_file: Mapping[_File, FileLook],
    found: Sequence[tuple[_At, Finding]],
    gone: set[_At],
    errors: MissingErrorsConfig,
) -> dict[_File, SecondLook]:
    """Second looks at the files in which a light curve goes because of another one."""
    wanted: dict[_File, set[int]] = {}
    rejected: dict[_File, list[int]] = {}
    for split, file, record in gone:
        rejected.setdefault((split, file), []).append(record)
    late = {key for key, records in rejected.items() if len(records) > len(by_file[key].rejected)}
    seen: Counter[str] = Counter()
    for (split, file, record), finding in found:
        seen[finding.rule] += 1
        known = record in by_file[split, file].offenders
        if seen[finding.rule] <= OFFENDERS_PER_RULE and not known:
            wanted.setdefault((split, file), set()).add(record)
    return {
        (split, file): look_again(
            files[SPLITS[split]][file],
            np.array(rejected.get((split, file), []), np.int64),
            wanted.get((split, file), set()),
            errors,
        )
        for split, file in sorted(late | set(wanted))
    }


def _profiles(
    looks: Sequence[FileLook], again: Mapping[_File, SecondLook]
) -> dict[str, SplitProfile]:
    profiles: dict[str, SplitProfile] = {}
    for look in looks:
        key = (look.split, look.file)
        profile = again[key].profile if key in again else look.profile
        split = SPLITS[look.split]
        if profile is not None:
            profiles[split] = profiles[split].merge(profile) if split in profiles else profile
    return profiles


def _offenders(
    by_file: Mapping[_File, FileLook],
    found: Sequence[tuple[_At, Finding]],
    again: Mapping[_File, SecondLook],
) -> tuple[tuple[Finding, LightCurve], ...]:
    seen: Counter[str] = Counter()
    offenders = []
    for (split, file, record), finding in found:
        seen[finding.rule] += 1
        if seen[finding.rule] > OFFENDERS_PER_RULE:
            continue
        curve = by_file[split, file].offenders.get(record)
        if curve is None:
            curve = again[split, file].curves[record]
        offenders.append((finding, curve))
    return tuple(offenders)
