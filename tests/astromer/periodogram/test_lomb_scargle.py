"""Periodograms: the values of astropy, and the peaks that were planted."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.timeseries import LombScargle

from astromer.periodogram.lomb_scargle import (
    PeriodogramConfig,
    frequency_grid,
    highest_peaks,
    power_spectrum,
)


def light_curve(frequency: float, n: int = 150, noise: float = 0.05, seed: int = 0):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 600, n))
    errors = rng.uniform(0.02, 0.1, n)
    mag = 0.4 * np.sin(2 * np.pi * frequency * times) + noise * rng.normal(size=n)
    return times, mag, errors


@pytest.mark.parametrize("weighted", [True, False])
def test_power_is_that_of_astropy(weighted):
    times, mag, errors = light_curve(1.234)
    step, number = frequency_grid(times[-1] - times[0], PeriodogramConfig())
    power = power_spectrum(times, mag, errors if weighted else None, step, number)
    expected = LombScargle(times, mag, errors if weighted else None).power(
        step * np.arange(1, number + 1), method="slow"
    )
    assert np.argmax(power) == np.argmax(expected)
    np.testing.assert_allclose(power, expected, atol=1e-6)


def test_the_grid_resolves_the_span_and_ends_at_the_highest_frequency():
    step, number = frequency_grid(100.0, PeriodogramConfig(max_frequency=5.0, oversampling=4))
    assert step == pytest.approx(1 / 400)
    assert step * number == pytest.approx(5.0)
    assert frequency_grid(0.0, PeriodogramConfig()) == (0.0, 0)


@pytest.mark.parametrize("frequency", [0.013, 0.71, 3.3, 9.5])
def test_the_highest_peak_is_the_planted_frequency(frequency):
    times, mag, _ = light_curve(frequency)
    step, number = frequency_grid(times[-1] - times[0], PeriodogramConfig())
    found, power = highest_peaks(power_spectrum(times, mag, None, step, number), step, 3, 8)
    assert found[0] == pytest.approx(frequency, abs=step / 2)
    assert power[0] == max(power)
    assert np.abs(np.diff(found)).min() > 8 * step


def test_a_spectrum_without_power_has_no_peak():
    found, power = highest_peaks(np.zeros(50), 0.1, 3, 8)
    assert not found.any()
    assert not power.any()
