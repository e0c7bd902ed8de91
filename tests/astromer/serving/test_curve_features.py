from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from astromer.light_curves import LightCurve, LightCurves
from astromer.periodogram.curve_periods import find_periods
from astromer.serving.curve_features import NUM_FEATURES, NUM_SEARCH_FEATURES, features_of
from tests.astromer.finetuning.conftest import make_survey


@pytest.fixture(scope="module")
def some() -> LightCurves:
    return make_survey(2, 2)


def test_they_are_those_of_the_library_that_surveys_use(some):
    """``light_curve`` computes each by itself, from float64 arrays."""
    import light_curve as lc

    extract = lc.Extractor(
        *(lc.StandardDeviation(), lc.Mean(), lc.Skew(), lc.Kurtosis(), lc.StetsonK()),
        *(lc.ReducedChi2(), lc.Eta(), lc.Cusum(), lc.BeyondNStd(1.0)),
        *(lc.MedianBufferRangePercentage(0.1), lc.Amplitude()),
    )
    found = features_of(some, find_periods(some)).astype(np.float64)
    for curve, row in zip((some[i] for i in range(len(some))), found):
        n = len(curve)
        arrays = (curve.mjd, curve.mag.astype(np.float64), curve.errmag.astype(np.float64))
        deviation, mean, skew, kurtosis, k, chi2, eta, cusum, beyond, near, amplitude = extract(
            *arrays, sorted=True
        )
        small = deviation * np.sqrt((n - 1) / n)  # theirs divides by n - 1
        first = NUM_SEARCH_FEATURES
        assert 10 ** row[first - 3] == pytest.approx(small, rel=1e-5)
        assert row[first] == pytest.approx(mean, rel=1e-6)
        # Their third and fourth moments correct for the bias of small samples.
        assert row[first + 1] * np.sqrt(n * (n - 1)) / (n - 2) == pytest.approx(skew, abs=1e-4)
        excess = 10 ** row[first + 2]
        unbiased = (n - 1) / (n - 2) / (n - 3) * ((n + 1) * excess - 3 * (n - 1))
        assert unbiased == pytest.approx(kurtosis, abs=1e-3)
        assert row[first + 3] == pytest.approx(k, rel=1e-4)
        assert 10 ** row[first + 4] * n / (n - 1) == pytest.approx(chi2, rel=1e-4)
        assert 10 ** row[first + 5] / n * (n - 1) == pytest.approx(eta, rel=1e-4)
        assert row[first + 8] == pytest.approx(cusum * deviation / small, rel=1e-4)
        assert row[first + 11] == pytest.approx(beyond, abs=1.01 / n)
        assert 10 ** row[first + 13] * small == pytest.approx(2 * amplitude, rel=1e-5)
        assert row[first + 19] == pytest.approx(near, abs=1e-6)


def test_the_shape_of_a_periodic_light_curve_is_found():
    rng = np.random.default_rng(0)
    mjd = 59000 + np.sort(rng.uniform(0, 90, 400))
    phase = 2 * np.pi * 1.7 * mjd
    mag = 12 + 0.5 * np.cos(phase) + 0.2 * np.cos(2 * phase + 0.9) + rng.normal(0, 0.01, 400)
    curve = LightCurve(mjd, mag.astype(np.float32), np.full(400, 0.01, np.float32))
    curves = LightCurves.from_curves([curve])
    [row] = features_of(curves, find_periods(curves))
    series = NUM_SEARCH_FEATURES + 20
    assert 10 ** row[0] == pytest.approx(1.7, rel=1e-3)
    assert 10 ** row[series] == pytest.approx(0.25, rel=0.02)
    assert row[series + 4] == pytest.approx(0.4, rel=0.02)  # R21
    assert row[series + 7] == pytest.approx(np.cos(0.9), abs=0.02)  # phi21
    assert row[series + 10] == pytest.approx(np.sin(0.9), abs=0.02)
    assert 10 ** row[series + 13] < 0.1  # scatter about the series
    assert row[NUM_SEARCH_FEATURES + 6] < row[NUM_SEARCH_FEATURES + 5] - 0.5  # smooth when folded


def test_company_and_the_unknown_change_nothing_and_spoil_nothing(some):
    periods = find_periods(some)
    together = features_of(some, periods)
    assert together.shape == (len(some), NUM_FEATURES)
    for i in range(len(some)):
        alone = features_of(some.take(np.array([i])), periods.take(np.array([i])))
        np.testing.assert_allclose(alone[0], together[i], atol=1e-6)
    no_errors = dataclasses.replace(some, errmag=np.full_like(some.errmag, np.nan))
    assert np.isfinite(features_of(no_errors, periods)).all()
    constant = dataclasses.replace(some, mag=np.full_like(some.mag, 12))
    assert np.isfinite(features_of(constant, find_periods(constant))).all()
    empty = LightCurves.from_curves(
        [LightCurve(np.empty(0), np.empty(0, np.float32), np.empty(0, np.float32)), some[0]]
    )
    found = features_of(empty, find_periods(empty))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[1], together[0], atol=1e-6)
    assert features_of(some.take(np.arange(0)), periods.take(np.arange(0))).shape[0] == 0
