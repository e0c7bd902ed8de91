"""Checks one record file: the rules that its light curves break, and their identities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from astromer.light_curves import LightCurve
from astromer.records.codec import read_series
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.reader import RecordBatch, iterate_batches
from astromer.validation.config import ValidationConfig
from astromer.validation.curve_check import check_batch, describe_fault
from astromer.validation.duplicates import Identities, identify
from astromer.validation.findings import EXAMPLES_PER_RULE
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
