"""Harmonic fits as a baseline: what a periodogram predicts at hidden steps, without training.

Like the other baselines they see the truthful steps only, and know which these are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astromer.light_curves import LightCurves
from astromer.periodogram.config import PeriodogramConfig
from astromer.periodogram.harmonic_fit import fit_harmonics
from astromer.periodogram.lomb_scargle import FEWEST, frequency_grid, highest_peaks, power_spectrum
from astromer.system.parallel import cores, map_ahead
from astromer.system.terminal import progress_bar
from astromer.windows.batches import Batch, Windows

_PEAKS = 10
_PEAK_WIDTH = 8


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
        peaks, _ = highest_peaks(power, step, _PEAKS, _PEAK_WIDTH)
        series = fit_harmonics(t, y, np.round(peaks / step) * step, step, number)
        if series is not None:
            return mean + np.clip(series(times), y.min(), y.max())
    return np.full(len(times), mean)
