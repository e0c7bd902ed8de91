from __future__ import annotations

from dataclasses import replace

import numpy as np

from astromer.light_curves import LightCurve, LightCurves


def test_packing_keeps_every_curve(toy) -> None:
    singles = [
        LightCurve(
            np.array([59000.1, 59001.2]),
            np.array([1.0, 2.0]),
            np.array([0.1, 0.2]),
            "a",
            3,
            "X",
            period=0.5,
        ),
        LightCurve(np.array([]), np.array([]), np.array([]), "empty"),
        LightCurve(np.array([5.0]), np.array([7.0]), np.array([0.3]), "längerer Name", -1, ""),
    ]
    packed = LightCurves.from_curves(singles)
    assert len(packed) == 3
    assert packed.num_observations == 3
    assert packed.lengths.tolist() == [2, 0, 1]
    assert (packed.mjd.dtype, packed.mag.dtype, packed.errmag.dtype) == ("f8", "f4", "f4")
    for index, single in enumerate(singles):
        curve = packed[index]
        assert len(curve) == len(single)
        assert curve.mjd.tolist() == single.mjd.tolist()
        assert curve.mag.tolist() == single.mag.astype(np.float32).tolist()
        assert curve.errmag.tolist() == single.errmag.astype(np.float32).tolist()
        assert (curve.id, curve.label, curve.class_name) == (
            single.id,
            single.label,
            single.class_name,
        )
    assert packed.periods.dtype == "f8"
    np.testing.assert_array_equal(packed.periods, [0.5, np.nan, np.nan])
    assert packed[0].period == 0.5


def test_concatenation_is_packing_all_of_them(toy) -> None:
    curves = toy.curves([3, 1, 4])
    parts = [LightCurves.from_curves([curves[0]]), LightCurves.from_curves([curves[1], curves[2]])]
    joined = LightCurves.concatenate(parts)
    for name in LightCurves.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(joined, name), getattr(curves, name), name)


def test_known_periods_stay_with_their_light_curves(toy) -> None:
    curves = toy.curves([3, 1, 4])
    assert np.isnan(curves.periods).tolist() == [True] * 3
    known = replace(curves, periods=np.array([0.5, np.nan, 2.0]))
    np.testing.assert_array_equal(known.take(np.array([2, 1])).periods, [2.0, np.nan])
    assert known[2].period == 2.0
    backwards = replace(known, mjd=-known.mjd)
    for same in (backwards.sorted_by_time(), LightCurves.from_curves(known)):
        np.testing.assert_array_equal(same.periods, known.periods)
    joined = LightCurves.concatenate([curves, known])
    np.testing.assert_array_equal(joined.periods, [np.nan] * 3 + [0.5, np.nan, 2.0])


def test_nothing_packs_to_nothing() -> None:
    for nothing in (LightCurves.from_curves([]), LightCurves.concatenate([])):
        assert len(nothing) == 0
        assert nothing.num_observations == 0
        assert nothing.offsets.tolist() == [0]
        assert nothing.lengths.tolist() == []
