"""Scores of a reconstruction per window, which add up over batches and replicas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from astromer.windows.batches import Batch

SumsT = TypeVar("SumsT", bound="WindowSums")


@dataclass(frozen=True)
class WindowSums:
    """Sums over the scored steps of each window: fields of float64 [num_windows]."""

    @classmethod
    def concatenate(cls: type[SumsT], parts: Sequence[SumsT]) -> SumsT:
        """Those of all windows of the parts, in their order."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def where(self: SumsT, chosen: np.ndarray) -> SumsT:
        """Those of some windows; ``chosen`` is bool [num_windows]."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class WindowScores(WindowSums):
    """Sums over the scored steps of each window. float64 [num_windows], in magnitudes.

    Attributes:
        count: scored steps.
        squared_error: sum of (true - predicted)^2 [mag^2].
        squared_spread: sum of (true - the window's mean over the scored steps)^2 [mag^2].
    """

    count: np.ndarray
    squared_error: np.ndarray
    squared_spread: np.ndarray

    @classmethod
    def of(cls, batch: Batch, predicted: np.ndarray, scored: np.ndarray) -> WindowScores:
        """Scores ``predicted`` [num_windows, window_size] at the ``scored`` steps."""
        scale = batch.scale[:, None].astype(np.float64)
        true = batch.target * scale
        error = np.where(scored, true - predicted * scale, 0.0)
        count = np.count_nonzero(scored, axis=1).astype(np.float64)
        mean = np.sum(true, axis=1, where=scored) / np.maximum(count, 1)
        spread = np.where(scored, true - mean[:, None], 0.0)
        return cls(count, np.sum(error**2, axis=1), np.sum(spread**2, axis=1))

    def rmse(self) -> float:
        """Root mean squared error over all scored steps [mag]; NaN if there is none."""
        return float(np.sqrt(_ratio(self.squared_error.sum(), self.count.sum())))

    def rmse_per_window(self) -> float:
        """RMSE with equal weight for each window [mag]; NaN if no window has a scored step.

        Windows without a scored step do not count; the public code gives them an error of 0.
        """
        scored = self.count > 0
        per_window = self.squared_error[scored] / self.count[scored]
        return float(np.sqrt(per_window.mean())) if len(per_window) else float("nan")

    def skill_over(self, baseline: WindowScores) -> float:
        """1 - (RMSE / the baseline's RMSE)^2 on the same steps; NaN if the baseline is exact."""
        return 1.0 - _ratio(self.squared_error.sum(), baseline.squared_error.sum())

    def r2(self) -> float:
        """1 - error / spread about each window's own mean; NaN without spread."""
        return 1.0 - _ratio(self.squared_error.sum(), self.squared_spread.sum())


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else float("nan")
