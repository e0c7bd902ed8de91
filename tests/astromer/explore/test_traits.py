"""Traits of light curves whose nature is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from astromer.explore.traits import TRAITS, traits_of
from astromer.light_curves import LightCurve, LightCurves
from tests.astromer.explore.conftest import pulsator


def of(curve: LightCurve, *periods: float) -> dict[str, float]:
    found = traits_of(LightCurves.from_curves([curve]), np.array([periods or (np.nan,)]))
    return {name: float(values[0]) for name, values in found.items()}


def test_of_a_pulsator():
    curve = pulsator(0)
    found = of(curve, curve.period)
    assert set(found) == set(TRAITS)
    assert found["magnitude"] == pytest.approx(15, abs=0.1)
    assert found["amplitude"] == pytest.approx(0.55, abs=0.1)
    assert found["error"] == pytest.approx(0.03)
    assert found["unexplained"] < 0.07
    assert found["drift"] < 0.02
    assert found["step_share"] < 0.5


def test_noise_has_no_order():
    curve = pulsator(0)
    mixed = replace(curve, mag=np.random.default_rng(1).permutation(curve.mag))
    found = of(mixed, curve.period)
    assert found["unexplained"] > 0.1
    assert found["roughness"] == pytest.approx(1, abs=0.2)


def test_a_period_that_changes_drifts():
    curve = pulsator(0)
    share = (curve.mjd - curve.mjd[0]) / np.ptp(curve.mjd)
    angle = 2 * np.pi * (curve.mjd / 0.5 + 3 * share**2)
    rng = np.random.default_rng(2)
    mag = (15 + 0.25 * np.sin(angle) + rng.normal(0, 0.03, len(curve))).astype(np.float32)
    assert of(replace(curve, mag=mag), 0.5)["drift"] > 0.3
    assert of(curve, curve.period)["drift"] < 0.02


def test_a_jump_of_the_zero_point_is_told_from_a_slow_change():
    curve = pulsator(0)
    later = curve.mjd > np.median(curve.mjd)
    jumped = of(replace(curve, mag=curve.mag + np.where(later, 0.8, 0).astype(np.float32)))
    assert jumped["step"] == pytest.approx(0.8, abs=0.1)
    assert jumped["step_share"] > 0.9
    slow = np.sin(2 * np.pi * (curve.mjd - curve.mjd[0]) / np.ptp(curve.mjd))
    assert of(replace(curve, mag=curve.mag + slow.astype(np.float32)))["step_share"] < 0.86


def test_a_single_bad_observation_is_no_event():
    curve = pulsator(0)
    mag = curve.mag.copy()
    mag[50] -= 5
    assert of(replace(curve, mag=mag), curve.period)["rise"] < 1
    mag[51:54] -= 5
    assert of(replace(curve, mag=mag), curve.period)["rise"] > 4


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_observations_have_no_traits(count):
    curve = pulsator(0)
    some = LightCurve(curve.mjd[:count], curve.mag[:count], curve.errmag[:count])
    assert all(np.isnan(value) for value in of(some, 0.5).values())


def test_unusual_values_end_in_numbers():
    curve = pulsator(0, count=40)
    flat = replace(curve, mag=np.full(40, 15, np.float32), errmag=np.full(40, np.nan, np.float32))
    same = replace(curve, mjd=np.full(40, 58000.0))
    holes = replace(curve, mag=np.where(np.arange(40) < 33, np.nan, curve.mag).astype(np.float32))
    for one in (flat, same, holes):
        found = of(one, 0.5, np.nan, 0.0)
        assert all(np.isfinite(v) for name, v in found.items() if name != "error")
