from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from astromer.light_curves import LightCurves, offsets_of
from astromer.records.cleaning import clean
from astromer.records.config import LightCurveRules

RULES = LightCurveRules()
NAN, INF = float("nan"), float("inf")


def packed(*curves: list[tuple[float, float, float]]) -> LightCurves:
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
    cleaned = clean(packed(good + bad), RULES)
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
    cleaned = clean(packed(nothing, five, four), RULES)
    assert cleaned.kept.tolist() == [False, True, False]
    assert cleaned.curves.offsets.tolist() == [0, 5]
    assert cleaned.dropped_curves == {"nothing_left": 1, "too_short": 1}
    assert cleaned.dropped_observations["short_curve"] == 4


values = st.one_of(st.floats(0, 20), st.sampled_from([NAN, INF, -INF, 0.0, 1.0, 99.999, 3.0]))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.tuples(values, values, values), max_size=30), min_size=1, max_size=4))
def test_what_is_kept_follows_the_rules_curve_by_curve(curves):
    curves = [[(m, g, abs(e) / 25) for m, g, e in curve] for curve in curves]
    cleaned = clean(packed(*curves), RULES)
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
