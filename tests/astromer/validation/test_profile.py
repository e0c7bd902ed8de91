"""Profiles: what they count, that they merge, and when two are alike."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.reader import RecordBatch
from astromer.system.errors import DataAnomalyError
from astromer.validation.profile import (
    BINS,
    NO_NAME,
    OTHERS,
    QUANTITIES,
    SplitProfile,
    profile_distances,
)


def batch_of(curves: list[LightCurve], bands: list[str] | None = None) -> RecordBatch:
    """A batch as the reader makes it, without a file."""
    lengths = np.array([len(curve) for curve in curves], np.int64)
    return RecordBatch(
        **vars(LightCurves.from_curves(curves)) | {"bands": np.array(bands or [""] * len(curves))},
        file=Path("0.record"),
        first_record=0,
        serialized=np.array([b""] * len(curves)),
        series_lengths=np.stack([lengths] * 3),
        residual_lengths=np.zeros_like(lengths),
        largest_residuals=np.zeros(len(curves), np.float32),
    )


def profile_of(curves: list[LightCurve]) -> SplitProfile:
    return SplitProfile.of(batch_of(curves), np.ones(len(curves), bool))


def sampled(count: int, seed: int, **shape: float) -> list[LightCurve]:
    given = {"mean": 15.0, "step": 3.0, "error": 0.05, "length": 60, **shape}
    rng = np.random.default_rng(seed)
    curves = []
    for number in range(count):
        size = int(rng.integers(given["length"] // 2, given["length"] * 2))
        mjd = 55000 + np.cumsum(rng.exponential(given["step"], size) + 1e-3)
        mag = rng.normal(given["mean"], 1.0) + rng.normal(0, 0.3, size)
        errmag = rng.lognormal(np.log(given["error"]), 0.3, size)
        name = "AB"[number % 3 == 0]
        curves.append(LightCurve(mjd, mag, errmag, f"s{number}", 0, name))
    return curves


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=12),
    st.integers(0, 9),
    st.data(),
)
def test_a_merge_is_the_profile_of_all(lengths, seed, data):
    rng = np.random.default_rng(seed)
    curves = [
        LightCurve(
            rng.uniform(50000, 60000, n),
            rng.normal(15, 9, n),
            rng.lognormal(-3, 2, n),
            f"s{i}",
            i % 3,
            "" if i % 2 else "RR",
        )
        for i, n in enumerate(lengths)
    ]
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(curves), max_size=len(curves))))
    cut = data.draw(st.integers(0, len(curves)))
    chosen = [curve for curve, kept in zip(curves, keep) if kept]
    parts = [curves[:cut], curves[cut:]]
    flags = [keep[:cut], keep[cut:]]
    merged = SplitProfile.empty()
    for part, flag in zip(parts, flags):
        if part:
            merged = merged.merge(SplitProfile.of(batch_of(part), flag))
    assert merged == (profile_of(chosen) if chosen else SplitProfile.empty())
    assert merged.curves == len(chosen)
    assert merged.observations == sum(map(len, chosen))
    assert SplitProfile.from_dict(json.loads(json.dumps(merged.to_dict()))) == merged


def test_quantiles_are_right_to_a_bin():
    curves = sampled(400, 0)
    profile = profile_of(curves)
    exact = {
        "length": [len(curve) for curve in curves],
        "cadence": [np.median(np.diff(curve.mjd)) for curve in curves],
        "mag": np.concatenate([curve.mag for curve in curves]),
        "errmag": np.concatenate([curve.errmag for curve in curves]),
        "time_span": [np.ptp(curve.mjd) for curve in curves],
        "mjd": np.concatenate([curve.mjd for curve in curves]),
    }
    for quantity in QUANTITIES:
        found = profile.quantiles(quantity.name, (0.1, 0.5, 0.9))
        wanted = np.quantile(exact[quantity.name], (0.1, 0.5, 0.9))
        if quantity.log:
            width = np.log(quantity.high / quantity.low) / BINS
            assert np.abs(np.log(found) - np.log(wanted)).max() < 1.5 * width, quantity.name
        else:
            width = (quantity.high - quantity.low) / BINS
            assert np.abs(np.array(found) - wanted).max() < 1.5 * width, quantity.name


def test_values_outside_the_bins_are_counted_at_the_ends():
    curve = LightCurve(np.arange(5.0), np.array([-99, 99, 15, 15, np.nan]), np.full(5, 0.0))
    histograms = profile_of([curve]).histograms
    assert histograms["mag"][[0, -1]].tolist() == [2, 1]
    assert histograms["errmag"][0] == 5
    assert histograms["mjd"][0] == 5
    assert sum(histograms["cadence"]) == 1


def test_classes_fall_back_to_labels_and_are_limited():
    shape = (np.arange(5.0), np.zeros(5), np.ones(5))
    named = [
        LightCurve(*shape, "a", 3, "RR"),
        LightCurve(*shape, "b", 3, ""),
        LightCurve(*shape, "c"),
    ]
    profile = SplitProfile.of(batch_of(named, ["V", "V", ""]), np.ones(3, bool))
    assert profile.classes == {"(unknown)": 1, "3": 1, "RR": 1}
    assert profile.bands == {"V": 2, NO_NAME: 1}
    many = profile_of([LightCurve(*shape, "x", 0, f"class-{n}") for n in range(1500)])
    assert len(many.classes) == 1001
    assert many.classes[OTHERS] == 500
    assert sum(many.classes.values()) == 1500


def test_it_is_small_however_many_light_curves_there_are():
    assert len(pickle.dumps(profile_of(sampled(500, 0)))) < 20_000


@pytest.mark.parametrize("counts", [(6, 6), (12, 60), (300, 60), (800, 800)])
def test_samples_of_one_survey_are_alike(counts):
    for seed in range(5):
        one = profile_of(sampled(counts[0], seed))
        other = profile_of(sampled(counts[1], 100 + seed))
        assert max(profile_distances(one, other).values()) < 0.3


@pytest.mark.parametrize(
    ("changed", "quantity"),
    [
        ({"mean": 19.0}, "mag"),
        ({"error": 0.3}, "errmag"),
        ({"step": 0.1}, "cadence"),
        ({"length": 400}, "length"),
    ],
)
def test_another_survey_is_far_in_what_differs(changed, quantity):
    one, other = profile_of(sampled(150, 0)), profile_of(sampled(150, 1, **changed))
    found = profile_distances(one, other)
    assert found[quantity] > 0.5
    assert found["classes"] < 0.1
    assert profile_distances(other, one) == pytest.approx(found)


def test_another_class_balance_is_seen():
    curves = sampled(300, 0)
    only = [curve for curve in curves if curve.class_name == "A"]
    assert profile_distances(profile_of(curves), profile_of(only))["classes"] > 0.3


def test_a_profile_with_other_bins_is_refused():
    plain = profile_of(sampled(3, 0)).to_dict()
    plain["histograms"]["mag"]["low"] = -20.0
    with pytest.raises(DataAnomalyError, match="must count mag in the bins"):
        SplitProfile.from_dict(plain)
