"""Looks at every light curve of a fold before anything is trained on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from astromer.errors import DataNotFoundError, LightCurveError
from astromer.progress import progress_bar
from astromer.records.codec import SERIES
from astromer.records.culprit import of_object, where
from astromer.records.fold import SPLITS, Fold
from astromer.records.reader import RecordBatch, iterate_batches
from pipeline_config import LightCurveRules

_QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class SplitSummary:
    """What one split holds.

    Attributes:
        curves: number of light curves.
        observations: number of observations.
        length_quantiles: observations per curve: minimum, quartiles, maximum.
        short_curves: curves with fewer observations than the rules ask for.
        unsorted_curves: curves whose times go back somewhere.
    """

    curves: int
    observations: int
    length_quantiles: tuple[float, ...]
    short_curves: int
    unsorted_curves: int


@dataclass(frozen=True)
class FoldSummary:
    """What a fold holds, by split ('train', 'validation', 'test')."""

    splits: Mapping[str, SplitSummary]

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain JSON types."""
        return {split: dataclasses.asdict(part) for split, part in self.splits.items()}


def check_fold(fold: Fold, rules: LightCurveRules, progress: bool = True) -> FoldSummary:
    """Reads every record of a fold and checks that all values are finite.

    Finite values outside their domain are the schema's business, later in the pipeline.

    Raises:
        DataNotFoundError: a split holds no records.
        RecordError: a file is corrupt or a record is no light curve.
        LightCurveError: a curve is empty, has series of unequal length, or holds NaN or
            infinite values.
    """
    finds = _NonFinite()
    splits = {}
    with progress_bar(desc="checking records", unit=" curves", disable=not progress) as bar:
        for split in SPLITS:
            lengths, unsorted = [], 0
            for batch in iterate_batches(fold.files[split]):
                finds.look(split, batch)
                unsorted += _count_unsorted(batch)
                lengths.append(batch.lengths)
                bar.update(len(batch))
            if not lengths:
                raise DataNotFoundError(
                    f"the {split} split of {fold.path} holds no light curves: its "
                    f"{len(fold.files[split])} record file(s) have no records. Make records with "
                    "python -m astromer.create_records."
                )
            splits[split] = _summarise(np.concatenate(lengths), unsorted, rules)
    finds.raise_if_any(sum(part.curves for part in splits.values()))
    return FoldSummary(splits)


def _summarise(lengths: np.ndarray, unsorted: int, rules: LightCurveRules) -> SplitSummary:
    return SplitSummary(
        curves=len(lengths),
        observations=int(lengths.sum()),
        length_quantiles=tuple(float(q) for q in np.quantile(lengths, _QUANTILES)),
        short_curves=int((lengths < rules.min_observations).sum()),
        unsorted_curves=unsorted,
    )


def _count_unsorted(batch: RecordBatch) -> int:
    backwards = np.flatnonzero(np.diff(batch.mjd) < 0) + 1
    # A step back at the start of a curve is only the seam to the curve before it.
    starts = batch.offsets[:-1]
    backwards = np.setdiff1d(backwards, starts)
    return len(np.unique(np.searchsorted(starts, backwards, side="right")))


class _NonFinite:
    """Collects curves with NaN or infinite values: how many, and where the first is."""

    def __init__(self) -> None:
        self.curves = 0
        self.first = ""

    def look(self, split: str, batch: RecordBatch) -> None:
        values = {name: getattr(batch, name) for name in SERIES}
        bad = {name: ~np.isfinite(series) for name, series in values.items()}
        any_bad = np.logical_or.reduce(list(bad.values()))
        if not any_bad.any():
            return
        offsets = batch.offsets
        curves = np.searchsorted(offsets, np.flatnonzero(any_bad), side="right") - 1
        self.curves += len(np.unique(curves))
        if self.first:
            return
        curve = int(curves[0])
        position = int(np.flatnonzero(any_bad)[0])
        field = next(name for name in SERIES if bad[name][position])
        self.first = (
            f"{where(batch.file, batch.first_record + curve)} in the {split} split"
            f"{of_object(batch.serialized[curve])}: {field}[{position - offsets[curve]}] is "
            f"{values[field][position]}"
        )

    def raise_if_any(self, total: int) -> None:
        if self.curves:
            raise LightCurveError(
                f"{self.curves} of {total} light curves hold values that are not finite. The "
                f"first: {self.first}. Drop such observations (python -m astromer.create_records "
                "does) and make the records again."
            )
