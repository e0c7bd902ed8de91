from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from astromer.records.cleaning import JD_TO_MJD, Calibration, count_julian_dates


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
