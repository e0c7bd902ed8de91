"""Harmonic series: least squares, the period of an eclipsing binary, and the mean of noise."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.periodogram.lomb_scargle import HarmonicSeries, fit_harmonics

RNG = np.random.default_rng(3)
TIMES = np.sort(RNG.uniform(0, 400, 160))


def test_the_fit_is_that_of_least_squares():
    phase = 2 * np.pi * 0.37 * TIMES
    mag = 0.2 + 0.5 * np.sin(phase) + 0.2 * np.cos(2 * phase + 1) + 0.01 * RNG.normal(size=160)
    series = fit_harmonics(TIMES, mag, np.array([0.37]), 1e-9, 1000)
    assert series is not None
    assert len(series.coefficients) == 3
    columns = [np.ones(160), *(f(h * phase) for h in (1, 2) for f in (np.sin, np.cos))]
    expected, *_ = np.linalg.lstsq(np.stack(columns, 1), mag, rcond=None)
    np.testing.assert_allclose(series(TIMES), np.stack(columns, 1) @ expected, atol=1e-4)


def test_half_the_frequency_is_found_where_two_eclipses_differ():
    phase = TIMES * 0.8 % 1
    mag = np.exp(-((((phase + 0.5) % 1) - 0.5) ** 2) / 0.005) + 0.4 * np.exp(
        -((phase - 0.5) ** 2) / 0.005
    )
    mag += 0.02 * RNG.normal(size=160)
    series = fit_harmonics(TIMES, mag - mag.mean(), np.array([1.6]), 1 / 1600, 16000)
    assert series is not None
    assert series.frequency == pytest.approx(0.8, abs=1 / 1600)


def test_noise_is_no_series():
    found = [
        fit_harmonics(TIMES, np.random.default_rng(s).normal(size=160), np.array([0.5]), 1e-3, 9999)
        for s in range(20)
    ]
    assert found.count(None) >= 19


@pytest.mark.parametrize("n", [0, 3, 8])
def test_few_observations_give_none(n):
    assert fit_harmonics(TIMES[:n], TIMES[:n] * 0.1, np.array([0.5]), 1e-3, 100) is None


def test_a_series_is_the_sum_of_its_harmonics():
    series = HarmonicSeries(0.25, np.array([1.0, 0.5 - 0.25j, 0.1j]))
    phase = 2 * np.pi * 0.25 * TIMES
    expected = 1.0 + np.cos(phase) + 0.5 * np.sin(phase) - 0.2 * np.sin(2 * phase)
    np.testing.assert_allclose(series(TIMES), expected, atol=1e-12)
