"""Scores of a reconstruction per window, which add up over batches and replicas.

And whether residuals scatter as predicted, with the factor that makes them do so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from astromer.windows.batches import Batch

if TYPE_CHECKING:
    from astromer.encoder.inference import Predictor

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


WITHIN = (0.6827, 0.9545)
"""Of a Gaussian, within one and two standard deviations."""
_FACTORS = np.geomspace(0.2, 5.0, 500)


@dataclass(frozen=True)
class SpreadScores(WindowSums):
    """Sums over the scored steps of each window. float64 [num_windows].

    Attributes:
        count: scored steps.
        within_one, within_two: steps whose residual is at most one or two standard deviations.
        log_likelihood: sum of the natural logarithms of the Gaussian densities, in magnitudes.
    """

    count: np.ndarray
    within_one: np.ndarray
    within_two: np.ndarray
    log_likelihood: np.ndarray

    @classmethod
    def of(
        cls, batch: Batch, predicted: np.ndarray, spread: np.ndarray, scored: np.ndarray
    ) -> SpreadScores:
        """Scores predictions and their spreads, [num_windows, window_size], at scored steps."""
        sigma = np.where(scored, spread, 1.0).astype(np.float64)
        ratio = np.where(scored, np.abs(batch.target - predicted), 0.0) / sigma
        density = -0.5 * ratio**2 - np.log(sigma * batch.scale[:, None]) - 0.5 * np.log(2 * np.pi)
        return cls(
            np.count_nonzero(scored, axis=1).astype(np.float64),
            np.count_nonzero(scored & (ratio <= 1), axis=1).astype(np.float64),
            np.count_nonzero(scored & (ratio <= 2), axis=1).astype(np.float64),
            np.sum(density, axis=1, where=scored),
        )

    def metrics(self) -> dict[str, float]:
        """Fractions within one and two standard deviations, and the mean log-likelihood."""
        count = self.count.sum() or np.nan
        return {
            "within_1_sigma": float(self.within_one.sum() / count),
            "within_2_sigma": float(self.within_two.sum() / count),
            "log_likelihood": float(self.log_likelihood.sum() / count),
        }


def log_likelihood_of_one_sigma(rmse: float) -> float:
    """The mean log-likelihood of residuals [mag] under one standard deviation for all."""
    return -0.5 * float(np.log(2 * np.pi * np.e * rmse**2))


def spread_factor(predictor: Predictor, batches: Iterable[Batch]) -> float:
    """What predicted standard deviations must be multiplied by.

    The factor brings the fractions of hidden residuals within one and two of them closest to those
    of a Gaussian: the larger of the two differences is the smallest.

    Args:
        predictor: of a model with a spread.
        batches: of light curves that the model was not trained on.
    """
    ratios = [np.empty(0)]
    for batch in batches:
        predicted, spread = predictor.with_spread(batch)
        hidden = batch.probing.hidden
        if spread is not None:
            ratios.append(np.abs(batch.target - predicted)[hidden] / spread[hidden])
    ratio = np.sort(np.concatenate(ratios))
    if not len(ratio):
        return 1.0
    off = [
        np.abs(np.searchsorted(ratio, k * _FACTORS, side="right") / len(ratio) - expected)
        for k, expected in enumerate(WITHIN, start=1)
    ]
    return float(_FACTORS[np.argmin(np.maximum(*off))])
