"""The harmonic fits as a baseline: they find periods, and see nothing of what is hidden."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.evaluation.baselines import fit_light_curves, predict_hidden
from astromer.light_curves import LightCurve, LightCurves
from astromer.periodogram.lomb_scargle import PeriodogramConfig

CONFIG = PeriodogramConfig(max_frequency=4.0)


@pytest.fixture(scope="module")
def curves() -> LightCurves:
    """Sinusoids of 0.2 to 3 cycles a day; 90 to 250 observations."""
    rng = np.random.default_rng(1)
    made = []
    for n, frequency in ((90, 2.9), (250, 0.21), (130, 1.37)):
        mjd = 58000 + np.sort(rng.uniform(0, 300, n))
        mag = 15 + 0.3 * np.sin(2 * np.pi * frequency * mjd) + 0.02 * rng.normal(size=n)
        made.append(LightCurve(mjd, mag.astype(np.float32), np.full(n, 0.02, np.float32)))
    return LightCurves.from_curves(made)


@pytest.fixture(scope="module")
def truthful(curves) -> np.ndarray:
    return np.random.default_rng(2).random(curves.num_observations) < 0.6


def test_hidden_magnitudes_of_periodic_stars_are_predicted(curves, truthful):
    fits = fit_light_curves(curves, truthful, 100, CONFIG)
    for found in (fits.of_window, fits.of_curve):
        error = (found - curves.mag)[~truthful]
        assert np.sqrt(np.mean(error**2)) < 0.05
    one_window = slice(0, 90)
    np.testing.assert_array_equal(fits.of_window[one_window], fits.of_curve[one_window])


def test_planted_magnitudes_and_errors_of_hidden_steps_change_no_bit(curves, truthful):
    planted = LightCurves(
        curves.mjd,
        np.where(truthful, curves.mag, np.float32(99)),
        np.where(truthful, curves.errmag, np.float32(77)),
        curves.offsets,
        curves.ids,
        curves.labels,
        curves.class_names,
        curves.bands,
    )
    before, after = (fit_light_curves(one, truthful, 100, CONFIG) for one in (curves, planted))
    np.testing.assert_array_equal(before.of_window, after.of_window)
    np.testing.assert_array_equal(before.of_curve, after.of_curve)


def test_a_prediction_stays_in_the_range_of_what_was_shown():
    times = np.linspace(0, 50, 60)
    mag = np.sin(times)
    shown = times < 25
    found = predict_hidden(times, mag, shown, CONFIG)
    assert found.min() >= mag[shown].min()
    assert found.max() <= mag[shown].max()


@pytest.mark.parametrize(("shown", "expected"), [(0, 0.0), (1, 15.0), (5, 15.5)])
def test_few_shown_steps_give_their_mean(shown, expected):
    times = np.arange(20.0)
    mag = np.where(np.arange(20) < 1, 15.0, 15.625)
    found = predict_hidden(times, mag, np.arange(20) < shown, CONFIG)
    np.testing.assert_allclose(found, expected)
