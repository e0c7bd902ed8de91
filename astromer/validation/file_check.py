"""One look at a record file: what its light curves break, and what tells them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from astromer.light_curves import LightCurve
from astromer.records.canonical import read_series
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.reader import RecordBatch, iterate_batches
from astromer.validation.config import ValidationConfig
from astromer.validation.curve_check import WORDS, judge
from astromer.validation.identity import Identities, identify
from astromer.validation.profile import SplitProfile
from astromer.validation.result import OFFENDERS_PER_RULE


class Breach(NamedTuple):
    """A rule that a light curve breaks, all by itself."""

    rule: str
    record: int
    object_id: str
    detail: str


@dataclass
class FileLook:
    """What a look at one file gave; small enough to be sent from a Beam worker.

    Attributes:
        split: index in SPLITS.
        file: index among the split's files.
        curves: light curves in the file.
        breaches: in the order of the records.
        rejected: records that go for what they are themselves, int64 rising.
        identities: of all.
        profile: what those that are not rejected are like.
        offenders: records of the first few breaches of each rule, as light curves.
    """

    split: int
    file: int
    curves: int = 0
    breaches: list[Breach] = field(default_factory=list)
    rejected: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    identities: Identities = field(default_factory=Identities.none)
    profile: SplitProfile | None = None
    offenders: dict[int, LightCurve] = field(default_factory=dict)


def look_at(
    path: str | Path,
    split: int,
    file: int,
    config: ValidationConfig,
    limits: LightCurveRules,
    progress: Callable[[int], object] = lambda count: None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> FileLook:
    """Reads a record file once, in memory that does not grow with it but for the identities.

    Args:
        path: the file.
        split, file: indices of its split, and of the file in the split.
        config, limits: the rules.
        progress: told how many light curves more have been looked at.
        errors: how missing errors are filled in before they are judged.

    Raises:
        RecordError: the file is corrupt or a record is no light curve.
    """
    look = FileLook(split, file)
    rejected, identities = [look.rejected], [look.identities]
    seen: Counter[str] = Counter()
    for batch in iterate_batches([path], strict=False, errors=errors):
        judgement = judge(batch, config, limits)
        broken = [(int(row), rule) for rule, rows in judgement.broken.items() for row in rows]
        for row, rule in sorted(broken):
            record = batch.first_record + row
            detail = WORDS[rule](batch, row, limits)
            look.breaches.append(Breach(rule, record, batch.contexts()[row].id, detail))
            seen[rule] += 1
            if seen[rule] <= OFFENDERS_PER_RULE:
                look.offenders[record] = light_curve(batch, row)
        look.curves += len(batch)
        progress(len(batch))
        rejected.append(batch.first_record + np.flatnonzero(~judgement.kept))
        identities.append(identify(batch, judgement.kept, split, file))
        look.profile = _merge(look.profile, SplitProfile.of(batch, judgement.kept))
    look.rejected = np.concatenate(rejected)
    look.identities = Identities.concatenate(identities)
    return look


class SecondLook(NamedTuple):
    """What is only known once all files have been looked at.

    Attributes:
        profile: what the accepted light curves of the file are like.
        curves: the records that were asked for.
    """

    profile: SplitProfile | None
    curves: dict[int, LightCurve]


def look_again(
    path: str | Path,
    rejected: np.ndarray,
    wanted: set[int],
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> SecondLook:
    """Reads a file again.

    Args:
        path: the file.
        rejected: all records that are left out in the end.
        wanted: records to be returned.
        errors: as at the first look.
    """
    profile: SplitProfile | None = None
    curves: dict[int, LightCurve] = {}
    for batch in iterate_batches([path], strict=False, errors=errors):
        records = batch.first_record + np.arange(len(batch))
        kept = ~np.isin(records, rejected)
        profile = _merge(profile, SplitProfile.of(batch, kept))
        for record in wanted.intersection(records.tolist()):
            curves[record] = light_curve(batch, record - batch.first_record)
    return SecondLook(profile, curves)


def light_curve(batch: RecordBatch, row: int) -> LightCurve:
    """A light curve of a batch, its longer series cut where they are unequal."""
    context = batch.contexts()[row]
    span = slice(batch.offsets[row], batch.offsets[row + 1])
    series: tuple[np.ndarray, ...] = (batch.mjd[span], batch.mag[span], batch.errmag[span])
    if not batch.lengths[row]:
        series = read_series(batch.serialized[row], batch.place(row))
        shortest = min(map(len, series))
        series = tuple(values[:shortest] for values in series)
    mjd, mag, errmag = (values.copy() for values in series)
    return LightCurve(mjd, mag, errmag, context.id, context.label, context.class_name)


def _merge(one: SplitProfile | None, other: SplitProfile) -> SplitProfile:
    return other if one is None else one.merge(other)
