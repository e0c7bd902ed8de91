from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from astromer.light_curves import LightCurves, offsets_of
from astromer.records.cleaning import (
    JD_TO_MJD,
    Calibration,
    clean,
    count_julian_dates,
    fill_missing_errors,
)
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.reader import read_light_curves

RULES = LightCurveRules()
NAN, INF = float("nan"), float("inf")


def pack(*curves: list[tuple[float, float, float]]) -> LightCurves:
    flat = np.array([row for curve in curves for row in curve], np.float64).reshape(-1, 3)
    return LightCurves.unlabelled(
        flat[:, 0],
        flat[:, 1].astype(np.float32),
        flat[:, 2].astype(np.float32),
        offsets_of([len(curve) for curve in curves]),
    )


def test_each_bad_observation_counts_under_one_reason():
    good = [(50000.0 + t, 15, 0.1) for t in (5, 3, 1, 4, 2)]
    bad = [
        (NAN, 15, 0.1),
        (1, INF, 0.1),
        (2, 15, NAN),
        (3, 15, 0.0),
        (4, 15, 1.0),
        (5, 15, -0.1),
        (6, 99.999, 0.1),
        (2_455_000.5, 15, 0.1),
        (50003.0, 16, 0.2),
    ]
    cleaned = clean(pack(good + bad), RULES)
    assert cleaned.dropped_observations == {
        "non_positive_flux": 0,
        "not_finite": 2,
        "missing_errmag": 1,
        "errmag_out_of_range": 3,
        "mag_out_of_range": 1,
        "mjd_out_of_range": 1,
        "duplicate_time": 1,
        "short_curve": 0,
    }
    assert cleaned.curves.mjd.tolist() == [50001, 50002, 50003, 50004, 50005]
    # Of two observations at the same time the first is kept.
    assert cleaned.curves.mag.tolist() == [15] * 5


def test_short_curves_go_with_what_was_left_of_them():
    nothing = [(t, 15, NAN) for t in range(7)]
    four = [(t, 15, 0.1) for t in range(4)]
    five = [(t, 15, 0.1) for t in range(5)]
    cleaned = clean(pack(nothing, five, four), RULES)
    assert cleaned.kept.tolist() == [False, True, False]
    assert cleaned.curves.offsets.tolist() == [0, 5]
    assert cleaned.dropped_curves == {"nothing_left": 1, "too_short": 1}
    assert cleaned.dropped_observations["short_curve"] == 4


values = st.one_of(st.floats(0, 20), st.sampled_from([NAN, INF, -INF, 0.0, 1.0, 99.999, 3.0]))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.tuples(values, values, values), max_size=30), min_size=1, max_size=4))
def test_what_is_kept_follows_the_rules_curve_by_curve(curves):
    curves = [[(m, g, abs(e) / 25) for m, g, e in curve] for curve in curves]
    cleaned = clean(pack(*curves), RULES)
    kept = {}
    for number, curve in enumerate(curves):
        seen = {}
        for mjd, mag, errmag in curve:
            numbers = (mjd, np.float32(mag), np.float32(errmag))
            if np.isfinite(numbers).all() and 0 < numbers[2] < 1 and numbers[1] <= 40:
                seen.setdefault(mjd, numbers)
        if len(seen) >= 5:
            kept[number] = [seen[mjd] for mjd in sorted(seen)]
    assert np.flatnonzero(cleaned.kept).tolist() == list(kept)
    for i, expected in enumerate(kept.values()):
        curve = cleaned.curves[i]
        found = zip(curve.mjd, curve.mag, curve.errmag, strict=True)
        assert [tuple(row) for row in found] == expected
    total = sum(len(curve) for curve in curves)
    assert cleaned.dropped_observations.total() + len(cleaned.curves.mjd) == total
    assert cleaned.dropped_curves.total() + len(cleaned.curves) == len(curves)


@given(st.floats(-5, 30), st.floats(1e-3, 0.5))
def test_fluxes_go_back_to_their_magnitudes(mag, errmag):
    flux = 10 ** (-0.4 * (mag - 25))
    error = errmag * np.log(10) / 2.5 * flux
    found = Calibration(25.0).magnitudes(np.array([flux]), np.array([error]))
    assert found[0][0] == pytest.approx(mag, abs=2e-6)
    assert found[1][0] == pytest.approx(errmag, rel=1e-6)
    assert not found[2][0]


def test_only_positive_fluxes_have_a_magnitude():
    flux = np.array([1.0, 0.0, -2.0, np.nan, np.inf])
    mag, errmag, non_positive = Calibration(25.0).magnitudes(flux, np.full(5, 0.1))
    assert non_positive.tolist() == [False, True, True, False, False]
    assert np.isnan(mag[1:4]).all()
    assert mag[0] == 25
    assert (mag.dtype, errmag.dtype) == (np.float32, np.float32)


def test_sentinels_among_errors_are_missing_ones():
    errors = np.array([0.1, 9.999, 99.999, -99.0, -9.99, 0.0, 1.5, np.inf])
    mag, errmag, _ = Calibration().magnitudes(np.zeros(8), errors)
    assert np.isnan(errmag).tolist() == [False, True, True, True, True, False, False, True]
    assert mag.tolist() == [0] * 8


def test_times_are_shifted_in_float64():
    times = np.array([2459000.123456789])
    assert Calibration(time_offset=JD_TO_MJD).times(times)[0] == pytest.approx(
        58999.62345679, abs=1e-8
    )
    assert Calibration().times(times) is times
    assert count_julian_dates(np.array([2459000.5, 59000.0, np.nan, 5e6])) == 1


OFFSETS = np.array([0, 4000, 4000, 4002, 4010])


@pytest.fixture
def packed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mjd = rng.uniform(50000, 51000, 4010)
    mag = rng.normal(15, 0.05, 4010).astype(np.float32)
    mag[7] = 99  # an outlier that a robust estimate does not see
    errmag = np.full(4010, np.nan, np.float32)
    errmag[4005:4007] = 0.3
    return mjd, mag, errmag


def test_refuse_fills_in_nothing(packed):
    filled = fill_missing_errors(*packed, OFFSETS, MissingErrorsConfig("refuse", 0.02))
    np.testing.assert_array_equal(filled, packed[2])


def test_a_constant_fills_in_what_is_missing_alone(packed):
    filled = fill_missing_errors(*packed, OFFSETS, MissingErrorsConfig("constant", 0.02))
    assert filled.dtype == np.float32
    known = ~np.isnan(packed[2])
    np.testing.assert_array_equal(filled[known], packed[2][known])
    np.testing.assert_array_equal(filled[~known], np.float32(0.02))
    assert np.isnan(packed[2][0])


def test_scatter_is_the_noise_of_each_curve(packed):
    mjd, mag, errmag = packed
    trend = mag + (0.002 * (mjd - 50000)).astype(np.float32)
    for values in (mag, trend):
        filled = fill_missing_errors(
            mjd, values, errmag, OFFSETS, MissingErrorsConfig("scatter", 0.001)
        )
        assert filled[0] == pytest.approx(0.05, rel=0.06)
        assert len(set(filled[:4000].tolist())) == 1
    assert np.isnan(filled[4000:4002]).all()  # one difference has no scatter
    steps = np.diff(mag[4002:][np.argsort(mjd[4002:])].astype(float))
    expected = 1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
    filled = fill_missing_errors(*packed, OFFSETS, MissingErrorsConfig("scatter", 0.001))
    assert filled[4002] == pytest.approx(expected, rel=1e-6)
    assert filled[4005] == np.float32(0.3)


def test_scatter_has_a_floor(packed):
    filled = fill_missing_errors(*packed, OFFSETS, MissingErrorsConfig("scatter", 0.5))
    assert filled[0] == 0.5


def test_records_without_a_list_of_errors_are_read_under_a_policy(tmp_path, make):
    series = {"mjd": [1, 2, 3], "mag": [4, 5, 6]}
    bare = make.sequence_example(series, ID="bare").SerializeToString()
    file = make.records(tmp_path / "0.record", [make.record(), bare])
    curves = read_light_curves(
        [file], leave_out=np.empty(0, np.int64), errors=MissingErrorsConfig("constant", 0.25)
    )
    assert curves[1].errmag.tolist() == [0.25] * 3
    np.testing.assert_array_equal(curves[0].errmag, make.series(10)["errmag"])
