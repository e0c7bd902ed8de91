"""Periods of light curves: nifty-ls and NumPy, curve by curve, and the graph of a served model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import find_periods
from astromer.periodogram.graph_periods import NUM_PEAKS
from astromer.periodogram.lomb_scargle import (
    PeriodogramConfig,
    fit_harmonics,
    frequency_grid,
    highest_peaks,
    power_spectrum,
)
from astromer.system.parallel import claim_cores, cores, map_ahead
from tools.benchmarks.measuring.curves import make_curves
from tools.benchmarks.measuring.section import OURS, PLAIN, Section
from tools.benchmarks.measuring.turns import Way

PERIODS = "periods, curves of 450 in 3.7 years"
_CONFIG = PeriodogramConfig()
_PEAK_WIDTH = 8


def section(curves: int = 128, length: int = 450) -> Section:
    """Some 54,000 frequencies of each light curve, up to ten a day; the three highest peaks."""
    return Section({PLAIN: partial(plain, curves, length), OURS: partial(ours, curves, length)})


def plain(curves: int, length: int) -> Mapping[str, Way]:
    """One light curve at a time on each core, as the baselines are fitted."""
    some = make_curves([length] * curves)
    return {
        PERIODS: lambda: float(len(list(map_ahead(partial(search, some), range(curves), cores()))))
    }


def ours(curves: int, length: int) -> Mapping[str, Way]:
    """The graph, with the threads of ``astromer embed``."""
    claim_cores()
    some = make_curves([length] * curves)

    def find() -> float:
        found = find_periods(some, config=_CONFIG)
        return float(len(found)) if found else 0.0

    return {PERIODS: find}


def search(curves: LightCurves, row: int) -> np.ndarray:
    """float64 [1 + NUM_PEAKS], frequency of the best harmonic series, and the highest peaks."""
    curve = curves[row]
    times, mag = curve.mjd - curve.mjd[0], curve.mag.astype(np.float64)
    mag -= mag.mean()
    step, number = frequency_grid(times[-1], _CONFIG)
    power = power_spectrum(times, mag, curve.errmag.astype(np.float64), step, number)
    peaks, _ = highest_peaks(power, step, NUM_PEAKS, _PEAK_WIDTH)
    series = fit_harmonics(times, mag, np.round(peaks / step) * step, step, number)
    return np.array([series.frequency if series else 0.0, *peaks])
