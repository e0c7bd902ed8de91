"""Pulsation, eclipses and irregular variability, each against what defines it."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.records.synthetic import built_in_stars
from astromer.records.synthetic.built_in_stars import (
    ERROR_FLOOR,
    FIVE_SIGMA_LIMIT,
    VARIABILITY,
    observe,
)
from astromer.records.synthetic.observing import expected_error
from astromer.records.synthetic.processes import damped_oscillation, fourier_series

PHASE = np.linspace(0, 1, 1000, endpoint=False)


@pytest.mark.parametrize(
    ("ratios", "phases"),
    [
        (built_in_stars.RRAB_RATIOS, built_in_stars.RRAB_PHASES),
        (built_in_stars.RRC_RATIOS, built_in_stars.RRC_PHASES),
        (built_in_stars.DSCT_RATIOS, built_in_stars.DSCT_PHASES),
        (built_in_stars.CEPHEID_RATIOS[:, 1], built_in_stars.CEPHEID_PHASES[:, 1]),
    ],
)
def test_a_fourier_series_has_unit_amplitude_zero_mean_and_repeats(ratios, phases):
    series = fourier_series(PHASE, ratios, phases)
    assert np.ptp(series) == pytest.approx(1, abs=0.01)
    assert series.mean() == pytest.approx(0, abs=1e-9)
    assert np.allclose(series, fourier_series(PHASE + 3, ratios, phases))


def test_rrab_stars_brighten_fast_and_fade_slowly():
    series = fourier_series(PHASE, built_in_stars.RRAB_RATIOS, built_in_stars.RRAB_PHASES)
    brightening = np.diff(series) < 0
    assert brightening.mean() < 0.3
    assert np.diff(series).min() < -2 * np.diff(series).max()


def test_an_eclipse_is_deepest_at_its_centre_and_gone_outside():
    profile = built_in_stars.eclipse_profile(PHASE, 0.25, 0.02, 1.0)
    assert PHASE[profile.argmax()] == pytest.approx(0.25)
    assert profile.max() == pytest.approx(1)
    assert np.abs(profile[np.abs(PHASE - 0.25) > 0.15]).max() < 1e-6


def test_detached_binaries_spend_most_of_their_time_outside_eclipse():
    mjd = np.sort(np.random.default_rng(0).uniform(55000, 57000, 4000))
    for seed in range(10):
        magnitudes = VARIABILITY["EA"](mjd, np.random.default_rng(seed))
        assert magnitudes.min() > -0.01
        assert np.median(magnitudes) < 0.3 * magnitudes.max()


def test_a_damped_oscillation_is_stationary_with_unit_variance_and_the_right_memory():
    mjd = np.arange(0, 200_000, 5.0)
    state = damped_oscillation(mjd, 50.0, 100.0, np.random.default_rng(3))
    assert np.var(state.real) == pytest.approx(1, abs=0.1)
    for lag in (2, 5, 10):  # exp(-lag/damping) cos(2 pi lag/period)
        expected = np.exp(-5 * lag / 100) * np.cos(2 * np.pi * 5 * lag / 50)
        assert np.mean(state.real[lag:] * state.real[:-lag]) == pytest.approx(expected, abs=0.1)


def test_a_damped_oscillation_does_not_depend_on_where_else_it_is_sampled():
    """Statistically: thinning the times leaves variance and correlation as they are."""
    mjd = np.sort(np.random.default_rng(0).uniform(0, 50_000, 20_000))
    state = damped_oscillation(mjd, np.inf, 30.0, np.random.default_rng(1)).real
    assert np.var(state) == pytest.approx(1, abs=0.15)


def test_miras_have_amplitudes_of_magnitudes():
    mjd = np.arange(55000, 58000, 3.0)
    amplitudes = [np.ptp(VARIABILITY["Mira"](mjd, np.random.default_rng(s))) for s in range(20)]
    assert min(amplitudes) > 1.5
    assert max(amplitudes) < 8


def test_errors_rise_with_magnitude_and_fall_with_depth():
    below_limit = np.linspace(11, 20, 50) - FIVE_SIGMA_LIMIT
    error = expected_error(below_limit, ERROR_FLOOR, sky=0.7)
    assert (np.diff(error) > 0).all()
    assert (expected_error(below_limit - 0.5, ERROR_FLOOR, sky=0.7) < error).all()
    assert error[0] == pytest.approx(0.006, abs=0.002)


def test_measurements_are_unbiased_and_faint_visits_are_no_detections():
    rng = np.random.default_rng(0)
    mag, _, detected = observe(np.full(20_000, 16.0), np.zeros(20_000), rng)
    assert np.median(mag) == pytest.approx(16.0, abs=0.005)
    assert detected.mean() > 0.97
    _, errmag, detected = observe(np.full(500, 22.0), np.zeros(500), rng)
    assert not detected.any()
    assert (errmag > 0.5).all()
