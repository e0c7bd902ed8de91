"""Whether residuals scatter as predicted, and the factor that makes them do so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from astromer.encoder.inference import Predictor
from astromer.evaluation.metrics import WindowSums
from astromer.windows.batches import Batch

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
