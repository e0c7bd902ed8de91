"""What a period search says about windows, as the phase encoder reads it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods, find_periods
from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.windows.batches import Batch, Windows, assemble, shown_magnitudes
from astromer.windows.masking import Probing


def prepare(
    model: Reconstructor,
    curves: LightCurves,
    windows: Windows,
    probing: Probing,
    periods: CurvePeriods | None = None,
) -> Batch:
    """A batch of windows with everything that a model reads.

    Args:
        model: the model.
        curves, windows, probing: as for :func:`~astromer.windows.batches.assemble`.
        periods: of the light curves, for a model that folds; found in these windows by default.
    """
    batch = assemble(curves, windows, probing, normalise=model.normalise)
    if not model.encoder.folds:
        return batch
    if periods is None:
        periods = periods_of_windows(curves, [(windows, probing)], model.encoder.periodogram)
    return folded(curves, windows, batch, periods)


def folded(curves: LightCurves, windows: Windows, batch: Batch, periods: CurvePeriods) -> Batch:
    """The batch of windows with the further inputs of the phase encoder; see :func:`fold`."""
    return dataclasses.replace(batch, folded=fold(curves, windows, batch, periods))


def periods_of_windows(
    curves: LightCurves,
    parts: Iterable[tuple[Windows, Probing]],
    periodogram: PeriodogramConfig,
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> CurvePeriods:
    """The periods of light curves, from what the network sees of windows of them.

    Args:
        curves: the light curves.
        parts: windows without overlap and the roles of their steps. What is in no window is
            hidden, but for its times.
        periodogram: where frequencies are searched.
        stopping, progress: as for :func:`~astromer.periodogram.curve_periods.find_periods`.
    """
    visible, magnitudes = np.zeros(curves.num_observations, bool), curves.mag.copy()
    for windows, probing in parts:
        index = (windows.start[:, None] + np.arange(probing.observed.shape[1]))[probing.observed]
        visible[index], magnitudes[index] = shown_magnitudes(curves, windows, probing)
    shown = dataclasses.replace(curves, mag=magnitudes)
    return find_periods(shown, visible, periodogram, stopping=stopping, progress=progress)


def fold(
    curves: LightCurves, windows: Windows, batch: Batch, periods: CurvePeriods
) -> dict[str, np.ndarray]:
    """The further inputs of the phase encoder, float32.

    Args:
        curves: the light curves.
        windows, batch: the same windows of them.
        periods: of the light curves, found without the magnitudes that the batch hides.

    Returns:
        errmag: [num_windows, window_size], 1-sigma errors [mag] of visible steps; 0 elsewhere and
            where unknown. That of a hidden step would tell its magnitude.
        phases: [num_windows, window_size, NUM_FREQUENCIES], cycles at half of each frequency, in
            [0, 1), so that the frequency and its half can both be had.
        series: [num_windows, 1, 2 (highest order + 1)], real, then imaginary coefficients of the
            best harmonic series, centred and scaled like the magnitudes.
        search: [num_windows, 1, 2 NUM_FREQUENCIES + 1], frequencies [1/day], powers of the peaks,
            number of visible observations of the light curve, scale of the window [mag].
    """
    observed, visible, curve = batch.probing.observed, batch.probing.visible, windows.curve
    index = windows.start[:, None] + np.arange(observed.shape[1])
    first = curves.mjd.take(curves.offsets[curve], mode="clip")
    times = np.where(observed, curves.mjd.take(index, mode="clip") - first[:, None], 0.0)
    frequencies = periods.frequencies[curve]
    cycles = 0.5 * times[..., None] * frequencies[:, None, :]
    series = periods.series[curve] / batch.scale[:, None]
    series[:, 0] -= batch.centre / batch.scale
    known = visible & (batch.errmag > 0)
    numbers = [periods.num_visible[curve], batch.scale]
    search = [frequencies, periods.powers[curve], np.stack(numbers, axis=1)]
    return {
        "errmag": np.where(known, batch.errmag, 0).astype(np.float32),
        "phases": (cycles - np.floor(cycles)).astype(np.float32),
        "series": series[:, None].astype(np.float32),
        "search": np.concatenate(search, axis=1)[:, None].astype(np.float32),
    }
