"""Periods of light curves: the graph's against the periodogram and the fit in Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.timeseries import LombScargle

from astromer.light_curves import LightCurve, LightCurves
from astromer.periodogram.curve_periods import SearchStopped, find_periods
from astromer.periodogram.graph_periods import LEAST_ERROR, NUM_PEAKS
from astromer.periodogram.lomb_scargle import (
    PeriodogramConfig,
    fit_harmonics,
    frequency_grid,
    highest_peaks,
    power_spectrum,
)

CONFIG = PeriodogramConfig(max_frequency=4.0)
PERIODS = (0.57, 3.3, 21.0, 0.9)


@pytest.fixture(scope="module")
def curves() -> LightCurves:
    rng = np.random.default_rng(2)

    def star(period: float) -> LightCurve:
        count = int(rng.integers(60, 200))
        mjd = 58000 + np.sort(rng.uniform(0, 400, count))
        errmag = rng.uniform(0.001, 0.1, count)
        errmag[::9] = np.nan
        angle = 2 * np.pi * mjd / period
        mag = 14 + 0.3 * np.sin(angle) + 0.15 * np.sin(2 * angle) + rng.normal(0, 0.05, count)
        return LightCurve(mjd, mag.astype(np.float32), errmag.astype(np.float32))

    return LightCurves.from_curves(map(star, PERIODS))


def test_they_are_the_peaks_and_the_series_of_python(curves) -> None:
    found = find_periods(curves, config=CONFIG)
    for row in range(len(curves)):
        curve = curves[row]
        times, mag = curve.mjd - curve.mjd[0], curve.mag.astype(np.float64)
        known = curve.errmag > 0
        errors = np.where(known, curve.errmag, curve.errmag[known].astype(np.float64).mean())
        errors = np.maximum(errors.astype(np.float64), LEAST_ERROR)
        step, number = frequency_grid(times[-1], CONFIG)
        power = power_spectrum(times, mag - mag.mean(), errors, step, number)
        peaks, powers = highest_peaks(power, step, NUM_PEAKS, 8)
        assert found.frequencies[row, 1:] == pytest.approx(peaks, rel=1e-4)
        assert found.powers[row] == pytest.approx(powers, rel=1e-4)
        grid = np.round(peaks / step) * step
        residual = mag - mag.mean()
        series = fit_harmonics(times, residual, grid, step, number)
        assert series is not None
        distance = np.abs(residual - series(times))
        near = distance < 4 * 1.4826 * np.sort(distance)[len(distance) // 2]
        halves = np.array([2 * series.frequency])  # whose half is the frequency itself
        series = fit_harmonics(times[near], residual[near], halves, step, 1)
        assert series is not None
        assert found.frequencies[row, 0] == pytest.approx(series.frequency, rel=1e-9)
        assert 1 / series.frequency == pytest.approx(PERIODS[row], rel=5e-3)
        real, imaginary = np.split(found.series[row], 2)
        order = len(series.coefficients)
        assert real[0] == pytest.approx(series.coefficients[0].real + mag.mean(), rel=1e-9)
        assert real[1:order] == pytest.approx(series.coefficients[1:].real, abs=1e-7)
        assert imaginary[1:order] == pytest.approx(series.coefficients[1:].imag, abs=1e-7)
        assert (real[order:] == 0).all()


def test_false_alarms_are_those_of_astropy() -> None:
    rng = np.random.default_rng(1)
    curve = LightCurve(
        np.sort(rng.uniform(0, 300, 80)),
        rng.normal(15, 0.1, 80).astype(np.float32),
        rng.uniform(0.05, 0.1, 80).astype(np.float32),
    )
    found = find_periods(LightCurves.from_curves([curve]), config=CONFIG)
    step, number = frequency_grid(curve.mjd[-1] - curve.mjd[0], CONFIG)
    astropy = LombScargle(curve.mjd, curve.mag, curve.errmag)
    expected = astropy.false_alarm_probability(
        found.powers[0, 0], method="baluev", maximum_frequency=step * number
    )
    assert 1e-3 < expected < 1 - 1e-9
    assert found.false_alarm[0] == pytest.approx(expected, rel=1e-4)


def test_nothing_but_times_is_read_of_hidden_observations(curves) -> None:
    rng = np.random.default_rng(3)
    visible = rng.random(curves.num_observations) < 0.7
    found = find_periods(curves, visible, CONFIG)
    mag, errmag = (
        np.where(visible, values, np.float32(7)) for values in (curves.mag, curves.errmag)
    )
    other = find_periods(replace(curves, mag=mag, errmag=errmag), visible, CONFIG)
    for name in ("frequencies", "powers", "series", "false_alarm"):
        assert getattr(found, name).tobytes() == getattr(other, name).tobytes(), name
    assert found.num_visible.sum() == visible.sum()


@pytest.mark.parametrize("count", [0, 1, 7, 30])
def test_light_curves_without_a_period(count: int) -> None:
    curve = LightCurve(
        np.arange(count) * 3.3, np.full(count, 14, np.float32), np.full(count, np.nan, np.float32)
    )
    found = find_periods(LightCurves.from_curves([curve]), config=CONFIG)
    assert (found.frequencies == 0).all()
    assert found.false_alarm.tolist() == [1.0]
    assert found.series[0, 0] == pytest.approx(14 if count else 0)
    assert len(find_periods(LightCurves.from_curves([]))) == 0


def test_a_search_can_be_given_up(curves) -> None:
    with pytest.raises(SearchStopped):
        find_periods(curves, config=CONFIG, stopping=lambda: True)
