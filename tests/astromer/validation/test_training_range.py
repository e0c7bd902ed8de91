"""Light curves outside of what an encoder was trained on are said to be."""

from __future__ import annotations

import json

import numpy as np
import pytest

from astromer.light_curves import LightCurve, LightCurves
from astromer.validation.training_range import TRAINED_ON, RangeCheck, training_range


def some(count: int = 200, *, days: float = 400.0, scale: float = 0.3, errmag: float = 0.02):
    rng = np.random.default_rng(3)

    def one() -> LightCurve:
        length = int(rng.integers(40, 80))
        mjd = 55_000 + np.sort(rng.uniform(0, days, length))
        mag = (15 + scale * rng.normal(size=length)).astype(np.float32)
        return LightCurve(mjd, mag, np.full(length, errmag, np.float32))

    return LightCurves.from_curves(one() for _ in range(count))


def warnings(curves: LightCurves, metadata: dict) -> list[str]:
    check = RangeCheck(metadata)
    for first in range(0, len(curves), 50):
        check.add(curves.take(np.arange(first, min(first + 50, len(curves)))))
    return check.warnings()


@pytest.fixture(scope="module")
def metadata() -> dict:
    return json.loads(json.dumps({TRAINED_ON: training_range(some())}))


def test_the_range_holds_all_but_a_hundredth(metadata) -> None:
    low, high = metadata[TRAINED_ON]["num_observations"]
    assert (low, high) == (40, 79)
    low, high = metadata[TRAINED_ON]["time_span"]
    assert 330 < low < high < 400
    low, high = metadata[TRAINED_ON]["amplitude"]
    assert 0.6 < low < 3.29 * 0.3 < high < 1.4
    assert metadata[TRAINED_ON]["errmag"] == pytest.approx([0.02, 0.02])


def test_light_curves_like_those_of_the_training_are_not_warned_of(metadata) -> None:
    assert warnings(some(60), metadata) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"days": 4.0}, ["time span", "median time between"]),
        ({"scale": 0.001}, ["range of magnitudes"]),
        ({"errmag": 0.4}, ["median magnitude error"]),
    ],
)
def test_others_are_warned_of_by_what_sets_them_apart(metadata, other, said) -> None:
    lines = warnings(some(60, **other), metadata)
    assert len(lines) == len(said)
    for line, title in zip(lines, said):
        assert line.startswith("100% of the light curves lie outside")
        assert title in line


def test_models_without_a_range_and_light_curves_without_errors_are_not_judged(metadata) -> None:
    assert warnings(some(60, days=1.0), {}) == []
    assert warnings(some(60, errmag=float("nan")), metadata) == []
    assert "errmag" not in training_range(some(60, errmag=float("nan")))
    assert warnings(some(0), metadata) == []
