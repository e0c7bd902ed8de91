"""Predictions without training that a reconstruction must beat, and their scores.

They read the truthful steps only: unlike the network, they know which visible steps show another
step's magnitude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from astromer.evaluation.harmonic_fits import fit_light_curves, predictions_of
from astromer.evaluation.metrics import WindowScores
from astromer.light_curves import LightCurves
from astromer.windows.batches import Batch, Windows, assemble, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import Probing, draw, mask_seed

BASELINE_TITLES = {
    "mean": "mean of the window",
    "interpolation": "linear interpolation",
    "harmonic": "harmonic fit of the window",
    "harmonic_curve": "harmonic fit of the light curve",
}
"""Their names in tables and plots."""
_BATCH = 256


def window_mean(batch: Batch) -> np.ndarray:
    """The mean magnitude of the truthful steps: zero, since magnitudes are centred on it.

    Returns:
        float32 [num_windows, window_size], centred and scaled like ``batch.target``.
    """
    return np.zeros_like(batch.target)


def linear_interpolation(batch: Batch) -> np.ndarray:
    """Error-weighted linear interpolation between the nearest truthful steps in time.

    Between neighbours a and b, the weight of a is (t_b - t) / (t_b - t_a) / errmag_a^2, and
    likewise for b: with equal errors this is linear interpolation. Beyond the first and the
    last truthful step the nearest one is repeated.

    Returns:
        float32 [num_windows, window_size], centred and scaled like ``batch.target``.
    """
    truthful = batch.probing.truthful
    steps = np.arange(truthful.shape[1])
    before = np.maximum.accumulate(np.where(truthful, steps, -1), axis=1)
    after = np.where(truthful, steps, len(steps))
    after = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    has_before, has_after = before >= 0, after < len(steps)
    before = np.where(has_before, before, np.where(has_after, after, 0))
    after = np.where(has_after, after, before)

    def at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, index, axis=1).astype(np.float64)

    time = batch.times.astype(np.float64)
    gap = at(batch.times, after) - at(batch.times, before)
    position = np.where(gap > 0, (time - at(batch.times, before)) / np.where(gap > 0, gap, 1), 0.5)
    weight_before = (1 - position) / at(batch.errmag, before) ** 2
    weight_after = position / at(batch.errmag, after) ** 2
    total = weight_before + weight_after
    shown = np.where(truthful, batch.target, 0)
    value = weight_before * at(shown, before) + weight_after * at(shown, after)
    return (value / np.where(total > 0, total, 1)).astype(np.float32)


OF_ONE_WINDOW: dict[str, Callable[[Batch], np.ndarray]] = {
    "mean": window_mean,
    "interpolation": linear_interpolation,
}
"""The baselines that look at one window alone."""


def score_baselines(
    curves: LightCurves,
    window_size: int,
    *,
    masking: MaskingConfig,
    seed: int,
    progress: bool = False,
) -> dict[str, WindowScores]:
    """Scores of each baseline at the steps that an evaluation with these settings hides.

    Args:
        curves: the light curves.
        window_size: observations per window.
        masking, seed: as in :func:`astromer.evaluation.evaluation.evaluate`.
        progress: whether to show a bar: periodograms take some 40 ms for each light curve.

    Returns:
        By the names of :data:`BASELINE_TITLES`.
    """
    windows = sequential_windows(curves.offsets, window_size)
    truthful = truthful_steps(windows, window_size, masking, seed)
    fits = fit_light_curves(curves, truthful, window_size, progress=progress)
    scores: dict[str, list[WindowScores]] = {name: [] for name in BASELINE_TITLES}
    for some, probing in fixed_masks(windows, window_size, masking, seed):
        batch = assemble(curves, some, probing)
        predicted = {name: predict(batch) for name, predict in OF_ONE_WINDOW.items()}
        predicted |= predictions_of(fits, batch, some)
        for name, found in predicted.items():
            scores[name].append(WindowScores.of(batch, found, probing.hidden))
    return {name: WindowScores.concatenate(parts) for name, parts in scores.items()}


def truthful_steps(
    windows: Windows, window_size: int, masking: MaskingConfig, seed: int
) -> np.ndarray:
    """bool [num_observations] of sequential windows: the steps that show their own magnitude."""
    parts = [np.empty(0, bool)]
    for _, probing in fixed_masks(windows, window_size, masking, seed):
        parts.append(probing.truthful[probing.observed])
    return np.concatenate(parts)


def fixed_masks(
    windows: Windows,
    window_size: int,
    masking: MaskingConfig,
    seed: int,
    batch_size: int = _BATCH,
) -> Iterator[tuple[Windows, Probing]]:
    """Runs of windows with the masks of an evaluation, which the batch size does not change."""
    for first in range(0, len(windows), batch_size):
        some = windows[first : first + batch_size]
        yield some, draw(some.length, window_size, masking, seed=mask_seed(seed), first=first)
