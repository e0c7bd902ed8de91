"""What is pointed at in the plot of a light curve."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.light_curves import LightCurve
from astromer.records.config import LightCurveRules
from astromer.validation.report.highlight import wrong_observations

GOOD = LightCurve(
    np.arange(59000.0, 59008.0), np.full(8, 15, np.float32), np.full(8, 0.1, np.float32)
)


@pytest.mark.parametrize(
    ("rule", "series", "values", "wrong"),
    [
        ("not_finite", "mag", {2: np.nan}, [2]),
        ("not_finite", "mjd", {5: np.inf}, [5]),
        ("missing_errmag", "errmag", {1: np.nan, 2: np.nan}, [1, 2]),
        ("unsorted_mjd", "mjd", {4: 59001.5}, [4]),
        ("repeated_mjd", "mjd", {4: 59003.0}, [3, 4]),
        ("mjd_out_of_range", "mjd", {0: -5.0}, [0]),
        ("mag_out_of_range", "mag", {7: 99.999}, [7]),
        ("errmag_out_of_range", "errmag", {0: 0.0, 3: -1.0, 4: 5.0}, [0, 3, 4]),
        ("time_span", "mjd", {0: 1.0}, [0, 7]),
        ("too_short", "mag", {}, []),
        ("leaked_star", "mag", {}, []),
    ],
)
def test_the_observations_that_break_the_rule(rule, series, values, wrong):
    changed = {name: getattr(GOOD, name).copy() for name in ("mjd", "mag", "errmag")}
    for index, value in values.items():
        changed[series][index] = value
    found = wrong_observations(rule, LightCurve(**changed), LightCurveRules())
    assert np.flatnonzero(found).tolist() == wrong


def test_an_empty_light_curve_has_none():
    empty = LightCurve(np.empty(0), np.empty(0), np.empty(0))
    assert wrong_observations("time_span", empty, LightCurveRules()).shape == (0,)
