"""Random forests, and the classical baseline: one on features of magnitudes, errors and times."""

from __future__ import annotations

from typing import Any

import numpy as np

from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.labelled_data import class_weights
from astromer.light_curves import LightCurves
from astromer.system.terminal import progress_bar

_CURVES_PER_CALL = 256


def feature_extractor() -> Any:
    """Features that surveys use: moments, quantiles, errors, trends and a Lomb-Scargle period.

    Unlike the encoder they see the magnitude itself and the errors.
    """
    import light_curve

    return light_curve.Extractor(
        light_curve.Mean(),
        light_curve.WeightedMean(),
        light_curve.StandardDeviation(),
        light_curve.Amplitude(),
        light_curve.Skew(),
        light_curve.Kurtosis(),
        light_curve.BeyondNStd(1.0),
        light_curve.InterPercentileRange(0.25),
        light_curve.InterPercentileRange(0.05),
        light_curve.MagnitudePercentageRatio(0.4, 0.05),
        light_curve.MagnitudePercentageRatio(0.2, 0.05),
        light_curve.MedianAbsoluteDeviation(),
        light_curve.MedianBufferRangePercentage(0.1),
        light_curve.AndersonDarlingNormal(),
        light_curve.Cusum(),
        light_curve.Eta(),
        light_curve.EtaE(),
        light_curve.StetsonK(),
        light_curve.ReducedChi2(),
        light_curve.ExcessVariance(),
        light_curve.LinearTrend(),
        light_curve.LinearFit(),
        light_curve.Periodogram(peaks=2, resolution=5.0, max_freq_factor=10.0),
    )


def classical_features(curves: LightCurves, *, progress: bool = False) -> np.ndarray:
    """float32 [num_curves, num_features]; 0 where a feature cannot be computed."""
    extract = feature_extractor()
    rows = []
    with progress_bar(
        total=len(curves), desc="classical features", unit="curve", disable=not progress
    ) as bar:
        for first in range(0, len(curves), _CURVES_PER_CALL):
            some = [curves[i] for i in range(first, min(first + _CURVES_PER_CALL, len(curves)))]
            series = [(c.mjd, c.mag.astype(np.float64), c.errmag.astype(np.float64)) for c in some]
            rows.append(extract.many(series, fill_value=0.0, sorted=True, check=False))
            bar.update(len(some))
    features = np.concatenate(rows) if rows else np.empty((0, len(extract.names)))
    largest = float(np.finfo(np.float32).max)
    finite: np.ndarray = np.where(np.isnan(features), 0.0, features)
    return np.clip(finite, -largest, largest).astype(np.float32)


def classify_with_forest(
    train: np.ndarray,
    classes: np.ndarray,
    test: np.ndarray,
    config: FinetuneConfig,
    seed: int,
) -> np.ndarray:
    """int64 [num_test], the classes that a forest predicts; see :func:`grow_forest`.

    Args:
        train, test: float32 [num_curves, num_features].
        classes: int64 [num_train].
        config: number of trees.
        seed: of the forest.
    """
    return grow_forest(train, classes, config, seed).predict(test).astype(np.int64)


def grow_forest(train: np.ndarray, classes: np.ndarray, config: FinetuneConfig, seed: int) -> Any:
    """A scikit-learn RandomForestClassifier.

    Rare classes weigh more, as for the heads. There is no early stopping, so the validation
    split is not used.

    Args:
        train: float32 [num_train, num_features].
        classes: int64 [num_train].
        config: number of trees.
        seed: of the forest.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(config.trees, random_state=seed, n_jobs=-1)
    return forest.fit(train, classes, sample_weight=class_weights(classes))
