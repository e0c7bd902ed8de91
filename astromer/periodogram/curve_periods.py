"""The periods of light curves, each from the visible observations of the whole curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import exp, lgamma
from typing import NamedTuple

import numpy as np

from astromer.light_curves import LightCurves
from astromer.periodogram.config import PeriodogramConfig
from astromer.periodogram.harmonic_fit import ORDERS, fit_harmonics
from astromer.periodogram.lomb_scargle import FEWEST, frequency_grid, highest_peaks, power_spectrum
from astromer.system.parallel import cores, map_ahead
from astromer.system.terminal import progress_bar

NUM_PEAKS = 3
"""Independent peaks of the periodogram that are kept."""
NUM_FREQUENCIES = 1 + NUM_PEAKS
LEAST_ERROR = 0.005
"""[mag]; smaller errors would give single observations all the weight."""
_PEAK_WIDTH = 8


@dataclass(frozen=True)
class CurvePeriods:
    """What the searches have found in a set of light curves, in its order.

    Times count from the first observation of each light curve, visible or not.

    Attributes:
        frequencies: float64 [num_curves, NUM_FREQUENCIES], 1/day: that of the best harmonic
            series, then the highest peaks; 0 where there is none.
        powers: float64 [num_curves, NUM_PEAKS], of the peaks, 0 to 1.
        false_alarm: float64 [num_curves], probability that noise alone has a peak as high as the
            highest; 1 where none was found.
        coefficients: complex128 [num_curves, highest order + 1], the best harmonic series [mag] as
            in :class:`~astromer.periodogram.harmonic_fit.HarmonicSeries`; the mean alone where
            there is none.
        num_visible: int64 [num_curves], the observations that were used.
    """

    frequencies: np.ndarray
    powers: np.ndarray
    false_alarm: np.ndarray
    coefficients: np.ndarray
    num_visible: np.ndarray

    def __len__(self) -> int:
        return len(self.num_visible)

    def take(self, positions: np.ndarray) -> CurvePeriods:
        """Those of the light curves at some positions, int64 [n]."""
        return CurvePeriods(*(getattr(self, field.name)[positions] for field in fields(self)))


class _Found(NamedTuple):
    """The fields of :class:`CurvePeriods` for one light curve."""

    frequencies: np.ndarray
    powers: np.ndarray
    false_alarm: float
    coefficients: np.ndarray
    num_visible: int


def find_periods(
    curves: LightCurves,
    visible: np.ndarray | None = None,
    config: PeriodogramConfig = PeriodogramConfig(),
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> CurvePeriods | None:
    """Searches each light curve for periods.

    Args:
        curves: light curves whose magnitudes are those that the network sees.
        visible: bool [num_observations], observations to use; nothing but the times of the others
            is read. All of them by default.
        config: where frequencies are searched.
        stopping: asked after each light curve; the search is given up where it is True.
        progress: whether to show a bar: a light curve takes some 10 ms.

    Returns:
        None where the search was given up.
    """

    def search(number: int) -> _Found:
        span = slice(curves.offsets[number], curves.offsets[number + 1])
        shown = slice(None) if visible is None else visible[span]
        times = curves.mjd[span] - curves.mjd[span.start : span.start + 1]
        return search_curve(
            times[shown],
            curves.mag[span][shown].astype(np.float64),
            usable_errors(curves.errmag[span][shown]),
            config,
        )

    bar = progress_bar(total=len(curves), desc="periods", unit="curve", disable=not progress)
    found = []
    with bar:
        for one in map_ahead(search, range(len(curves)), cores()):
            found.append(one)
            bar.update()
            if stopping():
                return None
    if not found:
        found = [search_curve(np.empty(0), np.empty(0), np.empty(0), config)]
        return CurvePeriods(*map(np.array, zip(*found))).take(np.empty(0, np.int64))
    return CurvePeriods(*map(np.array, zip(*found)))


def usable_errors(errmag: np.ndarray) -> np.ndarray:
    """float64 [n], errors [mag] of at least :data:`LEAST_ERROR`; the mean for unknown ones.

    All are 1 where none is known.

    Args:
        errmag: float32 [n]; NaN, zero and negative ones are unknown.
    """
    errors = errmag.astype(np.float64)
    known = errors > 0
    mean = errors[known].mean() if known.any() else 1.0
    return np.maximum(np.where(known, errors, mean), LEAST_ERROR)


def search_curve(
    times: np.ndarray, magnitudes: np.ndarray, errmag: np.ndarray, config: PeriodogramConfig
) -> _Found:
    """Searches one light curve, float64 [n] each: days, in increasing order, and mag."""
    count = len(times)
    frequencies, powers = np.zeros(NUM_FREQUENCIES), np.zeros(NUM_PEAKS)
    coefficients = np.zeros(ORDERS[-1] + 1, np.complex128)
    false_alarm = 1.0
    if count:
        coefficients[0] = mean = magnitudes.mean()
    step, number = frequency_grid(times[-1] - times[0], config) if count >= FEWEST else (0.0, 0)
    if number:
        residual = magnitudes - mean
        power = power_spectrum(times, residual, errmag, step, number)
        frequencies[1:], powers = highest_peaks(power, step, NUM_PEAKS, _PEAK_WIDTH)
        grid = np.round(frequencies[1:] / step) * step
        series = fit_harmonics(times, residual, grid, step, number)
        if series is not None:
            frequencies[0] = series.frequency
            coefficients[: len(series.coefficients)] = series.coefficients
            coefficients[0] += mean
        false_alarm = false_alarm_probability(powers[0], times, errmag, step * number)
    return _Found(frequencies, powers, false_alarm, coefficients, count)


def false_alarm_probability(
    power: float, times: np.ndarray, errmag: np.ndarray, max_frequency: float
) -> float:
    """Upper bound of the probability that white noise has a peak as high (Baluev 2008, MNRAS 385,
    1279, eq. 5 and 6, for a normalised periodogram with a floating mean).

    Args:
        power: of the highest peak, 0 to 1.
        times, errmag: float64 [n], days and mag, n > 3.
        max_frequency: of the search [1/day].
    """
    count = len(times)
    weights = errmag**-2
    centred = times - np.average(times, weights=weights)
    width = max_frequency * np.sqrt(4 * np.pi * np.average(centred**2, weights=weights))
    gamma = np.sqrt(2 / (count - 1)) * exp(lgamma((count - 1) / 2) - lgamma((count - 2) / 2))
    left = max(1 - power, 0.0)
    expected = gamma * width * left ** ((count - 4) / 2) * np.sqrt((count - 1) / 2 * max(power, 0))
    single = left ** ((count - 3) / 2)
    return float(min(-np.expm1(-expected) + single * np.exp(-expected), 1.0))
