"""Hidden magnitudes of a sample of windows, as the model and the baselines predict them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astromer.encoder.inference import Predictor
from astromer.encoder.reconstructor import Reconstructor
from astromer.evaluation.evaluation import BASELINES
from astromer.evaluation.metrics import WindowScores
from astromer.light_curves import LightCurves
from astromer.reports.plot import MODEL
from astromer.reports.sample import WindowSample
from astromer.windows.batches import Batch, assemble


@dataclass(frozen=True)
class Reconstruction:
    """Windows, what was hidden of them and what was predicted.

    Attributes:
        curves: of the split.
        sample: the windows.
        batch: the same windows as the network reads them.
        predicted: float32 [num_windows, window_size] by "model", "mean" and "interpolation",
            centred and scaled like ``batch.target``.
        scores: of the hidden steps of each window, by the same names.
    """

    curves: LightCurves
    sample: WindowSample
    batch: Batch
    predicted: dict[str, np.ndarray]
    scores: dict[str, WindowScores]

    def rmse(self) -> np.ndarray:
        """float64 [num_windows], of the model at hidden steps [mag]; NaN where there is none."""
        scores = self.scores[MODEL]
        count = np.where(scores.count > 0, scores.count, np.nan)
        return np.sqrt(scores.squared_error / count)

    def magnitudes(self, name: str, window: int) -> np.ndarray:
        """float64 [window_size], predicted magnitudes of a window [mag]."""
        batch = self.batch
        return self.predicted[name][window] * float(batch.scale[window]) + float(
            batch.centre[window]
        )

    def class_names(self) -> np.ndarray:
        """str [num_windows], "" where unknown."""
        return self.curves.class_names[self.batch.curve]


def reconstruct(model: Reconstructor, curves: LightCurves, sample: WindowSample) -> Reconstruction:
    """Predicts what is hidden, as the evaluation does."""
    batch = assemble(curves, sample.windows, sample.probing, normalise=model.normalise)
    predicted = {MODEL: Predictor(model)(batch)}
    predicted |= {name: baseline(batch) for name, baseline in BASELINES.items()}
    hidden = sample.probing.hidden
    scores = {name: WindowScores.of(batch, found, hidden) for name, found in predicted.items()}
    return Reconstruction(curves, sample, batch, predicted, scores)


def days_to_nearest_visible(batch: Batch) -> np.ndarray:
    """float64 [num_windows, window_size], days from each step to the nearest visible one.

    0 at visible steps; infinite where nothing is visible.
    """
    visible, times = batch.probing.visible, batch.times.astype(np.float64)
    last = np.maximum.accumulate(np.where(visible, times, -np.inf), axis=1)
    following = np.where(visible, times, np.inf)
    following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(times - last, following - times)
