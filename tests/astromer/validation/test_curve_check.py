"""Rules about single light curves: marked observations, and pairs at one time."""

from __future__ import annotations

import numpy as np
import pytest

from astromer.light_curves import LightCurve
from astromer.records.config import LightCurveRules
from astromer.validation.curve_check import marked_observations, repeated_observations

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
        ("unsorted_mjd", "mjd", {2: np.inf, 5: 59000.5}, [5]),
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
    found = marked_observations(rule, LightCurve(**changed), LightCurveRules())
    assert np.flatnonzero(found).tolist() == wrong


def test_an_empty_light_curve_has_none():
    empty = LightCurve(np.empty(0), np.empty(0), np.empty(0))
    assert marked_observations("time_span", empty, LightCurveRules()).shape == (0,)


def pairs(mjd, mag, curve, errmag=0.1) -> list[tuple[int, int]]:
    mag, curve = np.array(mag, np.float32), np.array(curve)
    errors = np.broadcast_to(np.float32(errmag), mag.shape)
    first, second = repeated_observations(np.array(mjd, np.float64), mag, errors, curve)
    return list(zip(first.tolist(), second.tolist(), strict=True))


def as_float32(mjd: np.ndarray) -> np.ndarray:
    return mjd.astype(np.float32).astype(np.float64)


def visits(gap_minutes: float = 4) -> np.ndarray:
    """40 nights with three observations each, at float32 times of which some coincide."""
    nights = 55000.3 + 20.013 * np.arange(40)
    return as_float32((nights[:, None] + np.arange(3) * gap_minutes / 1440).ravel())


def test_equal_times_of_one_light_curve_are_repeats():
    assert pairs([0.1, 0.2, 0.2, 0.3], [1, 2, 3, 4], [0] * 4) == [(1, 2)]
    assert pairs([0.2, 0.1, 0.2], [1, 2, 3], [0] * 3) == [(0, 2)]
    assert pairs([0.1, 0.2, 0.2], [1, 2, 2], [0, 0, 1]) == []
    assert pairs([np.nan, np.nan, np.inf, np.inf], [1] * 4, [0] * 4) == []
    assert pairs([], [], []) == []


def test_float32_times_of_visits_may_coincide_unless_the_values_do():
    mjd = visits()
    assert len(np.unique(mjd)) < len(mjd)
    mag = np.arange(len(mjd))
    assert pairs(mjd, mag, [0] * len(mjd)) == []
    twin = int(np.flatnonzero(np.diff(mjd) == 0)[0])
    mag[twin + 1] = mag[twin]
    assert pairs(mjd, mag, [0] * len(mjd)) == [(twin, twin + 1)]
    errors = 0.1 + 0.001 * np.arange(len(mjd))
    assert pairs(mjd, mag, [0] * len(mjd), errors) == []
    # Another light curve of the batch may have its times in full.
    both = np.concatenate([mjd, [0.1, 0.2, 0.2]])
    mags, curve = np.arange(len(both)), [0] * len(mjd) + [1] * 3
    assert pairs(both, mags, curve) == [(len(both) - 2, len(both) - 1)]


def test_times_so_dense_that_rounding_must_join_some_may_coincide():
    mjd = as_float32(np.sort(59000 + np.random.default_rng(0).uniform(0, 20, 400)))
    assert len(np.unique(mjd)) < 400
    assert pairs(mjd, np.arange(400), [0] * 400) == []


@pytest.mark.parametrize(("observations", "days"), [(60, 300), (200, 1000), (30, 3000)])
def test_rounding_does_not_explain_one_pair_among_times_far_apart(observations, days):
    mjd = as_float32(59000 + np.linspace(0, days, observations))
    mjd[7] = mjd[6]
    assert pairs(mjd, np.arange(observations), [0] * observations) == [(6, 7)]


def test_a_copy_between_others_of_its_time_is_found():
    assert pairs([1.0, 1.0, 1.0], [5, 6, 5], [0] * 3)
