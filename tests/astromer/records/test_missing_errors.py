"""Missing errors are filled in as the policy says, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.records.cleaning import fill_missing_errors
from astromer.records.config import MissingErrorsConfig
from astromer.records.reader import read_light_curves

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
