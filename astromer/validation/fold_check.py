"""Validates the files of a fold: each by itself, then all together for those that occur twice."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.codec import read_series
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.fold import SPLITS, Fold
from astromer.records.framing import estimate_records
from astromer.records.reader import RecordBatch, iterate_batches, read_light_curves
from astromer.system.errors import DataNotFoundError
from astromer.system.terminal import progress_bar, say
from astromer.system.text import shortened
from astromer.validation.config import WARN, ValidationConfig, all_rules
from astromer.validation.curve_check import check_batch, describe_fault
from astromer.validation.duplicates import DIGESTS, Identities, Match, find_matches, identify
from astromer.validation.findings import EXAMPLES_PER_RULE, Finding, Findings, Validation
from astromer.validation.output import terminal_table, write_validation
from astromer.validation.profile import SplitProfile


class Violation(NamedTuple):
    """A rule about single light curves that one breaks."""

    rule: str
    record: int
    object_id: str
    detail: str


@dataclass
class FileCheck:
    """The result for one file; small enough to be sent from a Beam worker.

    Attributes:
        split: index in SPLITS.
        file: index among the split's files.
        curves: light curves in the file.
        violations: in the order of the records.
        rejected: records that break a rule about single light curves, int64 rising.
        identities: of all.
        profile: of those that are not rejected.
        examples: records of the first few violations of each rule, as light curves.
    """

    split: int
    file: int
    curves: int = 0
    violations: list[Violation] = field(default_factory=list)
    rejected: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    identities: Identities = field(default_factory=Identities.none)
    profile: SplitProfile | None = None
    examples: dict[int, LightCurve] = field(default_factory=dict)


def check_file(
    path: str | Path,
    split: int,
    file: int,
    config: ValidationConfig,
    limits: LightCurveRules,
    progress: Callable[[int], object] = lambda count: None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> FileCheck:
    """Reads a record file once; only the identities take memory that grows with the file.

    Args:
        path: the file.
        split, file: indices of its split, and of the file in the split.
        config, limits: the rules.
        progress: is called with the number of light curves that have been checked since.
        errors: how missing errors are filled in before they are checked.

    Raises:
        RecordError: the file is corrupt or a record is no light curve.
    """
    result = FileCheck(split, file)
    rejected, identities = [result.rejected], [result.identities]
    seen: Counter[str] = Counter()
    for batch in iterate_batches([path], strict=False, errors=errors):
        check = check_batch(batch, config, limits)
        broken = [(int(row), rule) for rule, rows in check.broken.items() for row in rows]
        for row, rule in sorted(broken):
            record = batch.first_record + row
            detail = describe_fault(rule, batch, row, limits)
            result.violations.append(Violation(rule, record, batch.contexts()[row].id, detail))
            seen[rule] += 1
            if seen[rule] <= EXAMPLES_PER_RULE:
                result.examples[record] = _light_curve(batch, row)
        result.curves += len(batch)
        progress(len(batch))
        rejected.append(batch.first_record + np.flatnonzero(~check.kept))
        identities.append(identify(batch, check.kept, split, file))
        result.profile = _merge(result.profile, SplitProfile.of(batch, check.kept))
    result.rejected = np.concatenate(rejected)
    result.identities = Identities.concatenate(identities)
    return result


def reread_file(
    path: str | Path,
    rejected: np.ndarray,
    wanted: set[int],
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> tuple[SplitProfile | None, dict[int, LightCurve]]:
    """Reads a file again for what is only known once all files have been checked.

    Args:
        path: the file.
        rejected: all records that are left out in the end.
        wanted: records to be returned.
        errors: as for :func:`check_file`.

    Returns:
        The profile of the accepted light curves, and the wanted records by index.
    """
    profile: SplitProfile | None = None
    curves: dict[int, LightCurve] = {}
    for batch in iterate_batches([path], strict=False, errors=errors):
        records = batch.first_record + np.arange(len(batch))
        profile = _merge(profile, SplitProfile.of(batch, ~np.isin(records, rejected)))
        for record in wanted.intersection(records.tolist()):
            curves[record] = _light_curve(batch, record - batch.first_record)
    return profile, curves


def _light_curve(batch: RecordBatch, row: int) -> LightCurve:
    """A light curve of a batch, its longer series cut where they are unequal."""
    context = batch.contexts()[row]
    span = slice(batch.offsets[row], batch.offsets[row + 1])
    series: tuple[np.ndarray, ...] = (batch.mjd[span], batch.mag[span], batch.errmag[span])
    if not batch.lengths[row]:
        series = read_series(batch.serialized[row], batch.location(row))
        shortest = min(map(len, series))
        series = tuple(values[:shortest] for values in series)
    mjd, mag, errmag = (values.copy() for values in series)
    return LightCurve(mjd, mag, errmag, context.id, context.label, context.class_name)


def _merge(one: SplitProfile | None, other: SplitProfile) -> SplitProfile:
    return other if one is None else one.merge(other)


RecordSources = Mapping[str, Sequence[tuple[str, int]]]
"""By split, the files that a user knows and how many records of each were read, in order."""


def accepted_curves(
    fold: Fold,
    config: ValidationConfig,
    limits: LightCurveRules,
    report: Path | None,
    limit: int | None = None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> dict[str, LightCurves]:
    """Validates a fold, prints the findings and reads the light curves to train on.

    Args:
        fold: the records.
        config, limits: the rules.
        report: folder that is replaced by the findings; None writes and prints nothing.
        limit: most light curves of a split.
        errors: how missing errors are filled in.

    Returns:
        The accepted light curves by split, each sorted by time.

    Raises:
        DataNotFoundError, RecordError: as :func:`validate_fold`.
        DataAnomalyError: the data should not be trained on.
    """
    validation = validate_fold(fold, config, limits, progress=report is not None, errors=errors)
    table = terminal_table(validation)
    if report is not None:
        write_validation(validation, report)
    validation.require_usable(report, table)
    if report is not None:
        say(table)
    return {
        split: read_light_curves(
            files,
            limit=limit,
            leave_out=validation.rejected[split],
            errors=errors,
            progress=report is not None,
        )
        for split, files in fold.files.items()
    }


def validate_fold(
    fold: Fold,
    config: ValidationConfig = ValidationConfig(),
    limits: LightCurveRules = LightCurveRules(),
    progress: bool = True,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> Validation:
    """Checks every light curve of a fold in this process.

    Memory holds the largest batch, and about 200 bytes for each light curve.

    Raises:
        DataNotFoundError: a split holds no light curves.
        RecordError: a file is corrupt or a record is no light curve.
    """
    files = [file for split in fold.files.values() for file in split]
    total = estimate_records(files) if progress else None
    with progress_bar(total=total, desc="validating", unit="curves", disable=not progress) as bar:
        checks, matches = check_files(fold.files, config, limits, bar.update, errors)
    return combine_checks(fold.files, checks, matches, config, limits, errors=errors)


def check_files(
    files: Mapping[str, Sequence[Path]],
    config: ValidationConfig,
    limits: LightCurveRules,
    progress: Callable[[int], object] = lambda count: None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> tuple[list[FileCheck], list[Match]]:
    """Checks record files one after another, then compares the identities of their light curves.

    Args:
        files: by split.
        config, limits, progress, errors: as in :func:`~astromer.validation.fold_check.check_file`.

    Returns:
        What :func:`combine_checks` takes: the result for each file, and the matches between them.

    Raises:
        RecordError: a file is corrupt or a record is no light curve.
    """
    checks = [
        check_file(file, number, index, config, limits, progress, errors)
        for number, split in enumerate(SPLITS)
        for index, file in enumerate(files[split])
    ]
    identities = Identities.concatenate([check.identities for check in checks])
    return checks, [m for digest in DIGESTS for m in find_matches(identities, digest, config)]


def combine_checks(
    files: Mapping[str, Sequence[Path]],
    checks: Iterable[FileCheck],
    matches: Iterable[Match],
    config: ValidationConfig,
    limits: LightCurveRules,
    sources: RecordSources | None = None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> Validation:
    """The result of a validation, from those for its files.

    Args:
        files: the record files by split.
        checks: one for each file.
        matches: from all buckets and digests.
        config, limits: the rules.
        sources: where the records came from, if the files are copies. Findings name these.
        errors: how missing errors were filled in for the checks.

    Raises:
        DataNotFoundError: a split has no light curves at all.
    """
    by_file = {(check.split, check.file): check for check in checks}
    by_file = {key: by_file[key] for key in sorted(by_file)}
    names = _Names(files, list(by_file.values()), sources)
    curves = {split: names.counts[number] for number, split in enumerate(SPLITS)}
    for split, count in curves.items():
        if not count:
            raise DataNotFoundError(
                f"A split must hold light curves. Received: {len(files[split])} record file(s) of "
                f"the {split} split, which hold no records. Make records with astromer "
                "create_records."
            )
    found = _in_order(by_file.values(), matches, names)
    rejected = {at for at, finding in found if getattr(config, finding.rule) != WARN}
    profiles, examples = _after_rejection(files, by_file, found, rejected, errors)
    return Validation(
        curves=curves,
        findings=Findings(finding for _, finding in found),
        rejected={
            split: np.array(sorted(names.position(p) for p in rejected if p[0] == number), np.int64)
            for number, split in enumerate(SPLITS)
        },
        profiles=profiles,
        examples=examples,
        config=config,
        limits=limits,
    )


_FileKey = tuple[int, int]
"""Indices of split and file."""
_RecordKey = tuple[int, int, int]
"""Indices of split, file and record."""


class _Names:
    """Translates between records in files, positions in splits and names for users."""

    def __init__(
        self,
        files: Mapping[str, Sequence[Path]],
        checks: Sequence[FileCheck],
        sources: RecordSources | None,
    ) -> None:
        self.counts = [0] * len(SPLITS)
        self._first: dict[_FileKey, int] = {}
        for check in checks:
            self._first[check.split, check.file] = self.counts[check.split]
            self.counts[check.split] += check.curves
        self._names: list[list[str]] = []
        self._starts: list[list[int]] = []
        for number, split in enumerate(SPLITS):
            parts = sources[split] if sources else None
            parts = parts or [
                (str(files[split][c.file]), c.curves) for c in checks if c.split == number
            ]
            self._names.append([name for name, _ in parts])
            counts = [count for _, count in parts]
            self._starts.append([0, *np.cumsum(counts).tolist()][: len(counts)])

    def position(self, at: _RecordKey) -> int:
        split, file, record = at
        return self._first[split, file] + record

    def name(self, at: _RecordKey) -> tuple[str, int]:
        """File and record as the user knows them."""
        position = self.position(at)
        starts = self._starts[at[0]]
        index = bisect.bisect_right(starts, position) - 1
        return self._names[at[0]][index], position - starts[index]


_RELATION = {
    "duplicate_id": "has the id and band of",
    "duplicate_curve": "has the observations of",
    "leaked_star": "is the star of",
    "leaked_curve": "has the observations of",
}


def _in_order(
    checks: Iterable[FileCheck], matches: Iterable[Match], names: _Names
) -> list[tuple[_RecordKey, Finding]]:
    """Findings in the order of splits, files, records and rules."""
    found: list[tuple[_RecordKey, Finding]] = []

    def add(rule: str, at: _RecordKey, object_id: str, detail: str) -> None:
        found.append((at, Finding(rule, SPLITS[at[0]], *names.name(at), object_id, detail)))

    for check in checks:
        for rule, record, object_id, detail in check.violations:
            add(rule, (check.split, check.file, record), object_id, detail)
    for rule, twin, kept in matches:
        file, record = names.name(kept[:3])
        other = kept.object_id if kept.object_id != twin.object_id else ""
        name = f"object {shortened(other, 40)}, " if other else ""
        detail = f"{_RELATION[rule]} {name}record {record} of {file} in {SPLITS[kept.split]}"
        add(rule, twin[:3], twin.object_id, detail)
    rank = {rule.name: number for number, rule in enumerate(all_rules())}
    return sorted(found, key=lambda item: (item[0], rank[item[1].rule]))


def _after_rejection(
    files: Mapping[str, Sequence[Path]],
    by_file: Mapping[_FileKey, FileCheck],
    found: Sequence[tuple[_RecordKey, Finding]],
    rejected: set[_RecordKey],
    errors: MissingErrorsConfig,
) -> tuple[dict[str, SplitProfile], tuple[tuple[Finding, LightCurve], ...]]:
    """Profiles of what is accepted, and the light curves of the first findings of each rule.

    Files in which a light curve is rejected because of another one are read again.
    """
    examples = list(_first_of_each(found))
    wanted: dict[_FileKey, set[int]] = {}
    for (split, file, record), _ in examples:
        if record not in by_file[split, file].examples:
            wanted.setdefault((split, file), set()).add(record)
    left_out: dict[_FileKey, list[int]] = {}
    for split, file, record in rejected:
        left_out.setdefault((split, file), []).append(record)
    late = {key for key, records in left_out.items() if len(records) > len(by_file[key].rejected)}
    profiles_of = {key: check.profile for key, check in by_file.items()}
    curves = {key: check.examples for key, check in by_file.items()}
    for key in sorted(late | set(wanted)):
        path = files[SPLITS[key[0]]][key[1]]
        records = np.array(left_out.get(key, []), np.int64)
        profiles_of[key], more = reread_file(path, records, wanted.get(key, set()), errors)
        curves[key] = {**curves[key], **more}
    profiles: dict[str, SplitProfile] = {}
    for (number, _), profile in profiles_of.items():
        name = SPLITS[number]
        if profile is not None:
            profiles[name] = profiles[name].merge(profile) if name in profiles else profile
    return profiles, tuple((finding, curves[at[:2]][at[2]]) for at, finding in examples)


def _first_of_each(
    found: Sequence[tuple[_RecordKey, Finding]],
) -> Iterator[tuple[_RecordKey, Finding]]:
    seen: Counter[str] = Counter()
    for at, finding in found:
        seen[finding.rule] += 1
        if seen[finding.rule] <= EXAMPLES_PER_RULE:
            yield at, finding
