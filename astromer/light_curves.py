"""Many light curves of unequal length, packed end to end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

ID_COLUMNS = ("id", "ID", "newID")
"""What the column of ids of a table is called, where nothing else is stated."""


@dataclass(frozen=True)
class LightCurve:
    """One object's observations in one band.

    Attributes:
        mjd: float64 [n], times in days, increasing.
        mag: float32 [n], magnitudes.
        errmag: float32 [n], 1-sigma magnitude errors.
        id: the object's name in its survey.
        label: class index, -1 where unknown.
        class_name: class name, "" where unknown.
        band: "" where unknown.
        period: known period [days], NaN where unknown.
    """

    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    id: str = ""
    label: int = -1
    class_name: str = ""
    band: str = ""
    period: float = np.nan

    def __len__(self) -> int:
        return len(self.mjd)


@dataclass(frozen=True)
class LightCurves:
    """A set of light curves in four flat arrays and an index.

    Curve ``i`` owns the observations ``offsets[i]:offsets[i + 1]``.

    Attributes:
        mjd: float64 [num_observations], days. float64 because a float32 MJD near 59000
            keeps 5.6 minutes only.
        mag: float32 [num_observations].
        errmag: float32 [num_observations], mag.
        offsets: int64 [num_curves + 1], rising from 0 to num_observations.
        ids: str [num_curves].
        labels: int64 [num_curves], -1 where unknown.
        class_names: str [num_curves], "" where unknown.
        bands: str [num_curves], "" where unknown.
        periods: float64 [num_curves], known periods [days], NaN where unknown; all are where
            nothing is given.
    """

    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    offsets: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    class_names: np.ndarray
    bands: np.ndarray
    periods: np.ndarray = field(default_factory=lambda: np.empty(0), kw_only=True)

    def __post_init__(self) -> None:
        if not len(self.periods):
            object.__setattr__(self, "periods", np.full(len(self), np.nan))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> LightCurve:
        span = slice(self.offsets[index], self.offsets[index + 1])
        return LightCurve(
            self.mjd[span],
            self.mag[span],
            self.errmag[span],
            str(self.ids[index]),
            int(self.labels[index]),
            str(self.class_names[index]),
            str(self.bands[index]),
            float(self.periods[index]),
        )

    @property
    def lengths(self) -> np.ndarray:
        """int64 [num_curves], observations per curve."""
        return np.diff(self.offsets)

    @property
    def num_observations(self) -> int:
        return int(self.offsets[-1])

    def sorted_by_time(self) -> LightCurves:
        """The same light curves, each in order of time; equal times keep their order."""
        curve = np.repeat(np.arange(len(self)), self.lengths)
        backwards = (np.diff(self.mjd) < 0) & (np.diff(curve) == 0)
        if not backwards.any():
            return self
        order = np.lexsort((self.mjd, curve))
        return replace(self, mjd=self.mjd[order], mag=self.mag[order], errmag=self.errmag[order])

    def take(self, positions: np.ndarray) -> LightCurves:
        """The light curves at some positions, int64 [n], in that order."""
        lengths = self.lengths[positions]
        offsets = offsets_of(lengths)
        index = np.arange(offsets[-1]) + np.repeat(self.offsets[positions] - offsets[:-1], lengths)
        return LightCurves(
            self.mjd[index],
            self.mag[index],
            self.errmag[index],
            offsets,
            self.ids[positions],
            self.labels[positions],
            self.class_names[positions],
            self.bands[positions],
            periods=self.periods[positions],
        )

    @classmethod
    def from_curves(cls, curves: Iterable[LightCurve]) -> LightCurves:
        """Packs single light curves, in their order."""
        curves = list(curves)
        return cls(
            mjd=_concatenate([curve.mjd for curve in curves], np.float64),
            mag=_concatenate([curve.mag for curve in curves], np.float32),
            errmag=_concatenate([curve.errmag for curve in curves], np.float32),
            offsets=offsets_of([len(curve) for curve in curves]),
            ids=np.array([curve.id for curve in curves], dtype=np.str_),
            labels=np.array([curve.label for curve in curves], dtype=np.int64),
            class_names=np.array([curve.class_name for curve in curves], dtype=np.str_),
            bands=np.array([curve.band for curve in curves], dtype=np.str_),
            periods=np.array([curve.period for curve in curves], dtype=np.float64),
        )

    @classmethod
    def unlabelled(
        cls,
        mjd: np.ndarray,
        mag: np.ndarray,
        errmag: np.ndarray,
        offsets: np.ndarray,
        ids: np.ndarray | None = None,
    ) -> LightCurves:
        """Packed light curves of unknown class, and without ids where there are none."""
        count = len(offsets) - 1
        ids = np.full(count, "") if ids is None else ids
        unknown = np.full(count, "")
        return cls(mjd, mag, errmag, offsets, ids, np.full(count, -1), unknown, unknown)

    @classmethod
    def from_rows(
        cls, mjd: np.ndarray, mag: np.ndarray, errmag: np.ndarray, ids: np.ndarray
    ) -> LightCurves:
        """Packs the rows of a table, in any order, as light curves in order of first appearance.

        Args:
            mjd, mag, errmag: [n], one value for each row.
            ids: str [n], the object of each row.
        """
        names, first, group = np.unique(ids, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))[group]
        order = np.argsort(rank, kind="stable")
        offsets = offsets_of(np.bincount(rank, minlength=len(names)))
        return cls.unlabelled(mjd[order], mag[order], errmag[order], offsets, ids[np.sort(first)])

    @classmethod
    def concatenate(cls, parts: Sequence[LightCurves]) -> LightCurves:
        """Joins packed sets, in their order."""
        if not parts:
            return cls.from_curves([])
        return LightCurves(
            mjd=np.concatenate([part.mjd for part in parts]),
            mag=np.concatenate([part.mag for part in parts]),
            errmag=np.concatenate([part.errmag for part in parts]),
            offsets=offsets_of(np.concatenate([part.lengths for part in parts])),
            ids=np.concatenate([part.ids for part in parts]),
            labels=np.concatenate([part.labels for part in parts]),
            class_names=np.concatenate([part.class_names for part in parts]),
            bands=np.concatenate([part.bands for part in parts]),
            periods=np.concatenate([part.periods for part in parts]),
        )


def offsets_of(lengths: Any) -> np.ndarray:
    """int64 [n + 1], where each of n packed pieces starts, and the end of the last one."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _concatenate(arrays: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(arrays).astype(dtype) if arrays else np.empty(0, dtype)
