"""Predictions without training that a reconstruction must beat, and their scores.

The window's mean, the line between neighbours, and harmonic fits: what a periodogram predicts. They
read the truthful steps only: unlike the network, they know which visible steps show another step's
magnitude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from astromer.evaluation.metrics import WindowScores
from astromer.light_curves import LightCurves
from astromer.periodogram.lomb_scargle import (
    FEWEST,
    PEAK_WIDTH,
    PeriodogramConfig,
    fit_harmonics,
    frequency_grid,
    highest_peaks,
    power_spectrum,
    without_left_out,
)
from astromer.system.parallel import cores, map_ahead
from astromer.system.terminal import progress_bar
from astromer.windows.batches import Batch, Windows, assemble, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import Probing, draw, mask_seed

_PEAKS = 10


@dataclass(frozen=True)
class HarmonicFits:
    """Predictions at every observation [mag], float32 [num_observations].

    Attributes:
        of_window: frequencies and fit from the truthful steps of the window.
        of_curve: from those of all windows of the light curve.
    """

    of_window: np.ndarray
    of_curve: np.ndarray


def fit_light_curves(
    curves: LightCurves,
    truthful: np.ndarray,
    window_size: int,
    config: PeriodogramConfig = PeriodogramConfig(),
    *,
    progress: bool = False,
) -> HarmonicFits:
    """Fits every light curve, whole and in sequential windows.

    Args:
        curves: light curves.
        truthful: bool [num_observations], steps that show their own magnitude; nothing of the
            others is used but their times.
        window_size: observations per window.
        config: where frequencies are searched.
        progress: whether to show a bar.
    """
    fits = HarmonicFits(*(np.zeros(curves.num_observations, np.float32) for _ in range(2)))

    def fit(number: int) -> tuple[slice, np.ndarray, np.ndarray]:
        span = slice(curves.offsets[number], curves.offsets[number + 1])
        times = curves.mjd[span] - curves.mjd[span.start]
        mag, shown = curves.mag[span].astype(np.float64), truthful[span]
        whole = predict_hidden(times, mag, shown, config)
        if len(times) <= window_size:
            return span, whole, whole
        parts = [
            predict_hidden(times[part], mag[part], shown[part], config)
            for part in (
                slice(first, first + window_size) for first in range(0, len(times), window_size)
            )
        ]
        return span, np.concatenate(parts), whole

    bar = progress_bar(total=len(curves), desc="periodograms", unit="curve", disable=not progress)
    with bar:
        for span, of_window, of_curve in map_ahead(fit, range(len(curves)), cores()):
            fits.of_window[span], fits.of_curve[span] = of_window, of_curve
            bar.update()
    return fits


def predictions_of(fits: HarmonicFits, batch: Batch, windows: Windows) -> dict[str, np.ndarray]:
    """The fits as predictions of a batch: "harmonic" of the window, "harmonic_curve" of the curve.

    Args:
        fits: of the light curves that the windows were cut from.
        batch, windows: the same windows.

    Returns:
        float32 [num_windows, window_size], centred and scaled like ``batch.target``.
    """
    index = windows.start[:, None] + np.arange(batch.target.shape[1])

    def at(values: np.ndarray) -> np.ndarray:
        centred = values.take(index, mode="clip") - batch.centre[:, None]
        return np.where(batch.probing.observed, centred / batch.scale[:, None], 0)

    return {"harmonic": at(fits.of_window), "harmonic_curve": at(fits.of_curve)}


def predict_hidden(
    times: np.ndarray, magnitudes: np.ndarray, shown: np.ndarray, config: PeriodogramConfig
) -> np.ndarray:
    """float64 [n], the best harmonic series of the shown steps, clipped to their range [mag].

    The mean of the shown steps where they are fewer than eight, or no series is better; 0 where
    none is shown.
    """
    t, y = times[shown], magnitudes[shown]
    if not len(t):
        return np.zeros(len(times))
    mean = y.mean()
    step, number = frequency_grid(t[-1] - t[0], config) if len(t) >= FEWEST else (0.0, 0)
    if number:
        y = y - mean
        power = power_spectrum(t, y, None, step, number)
        if config.left_out:
            power = without_left_out(power, step * np.arange(1, number + 1), step, config)
        peaks, _ = highest_peaks(power, step, _PEAKS, PEAK_WIDTH)
        series = fit_harmonics(t, y, np.round(peaks / step) * step, step, number, config)
        if series is not None:
            return mean + np.clip(series(times), y.min(), y.max())
    return np.full(len(times), mean)


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
    periodogram: PeriodogramConfig = PeriodogramConfig(),
    progress: bool = False,
) -> dict[str, WindowScores]:
    """Scores of each baseline at the steps that an evaluation with these settings hides.

    Args:
        curves: the light curves.
        window_size: observations per window.
        masking, seed: as in :func:`astromer.evaluation.evaluation.evaluate`.
        periodogram: where frequencies of the harmonic fits are searched.
        progress: whether to show a bar: periodograms take some 40 ms for each light curve.

    Returns:
        By the names of :data:`BASELINE_TITLES`.
    """
    windows = sequential_windows(curves.offsets, window_size)
    truthful = truthful_steps(windows, window_size, masking, seed)
    fits = fit_light_curves(curves, truthful, window_size, periodogram, progress=progress)
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
