from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from astromer.light_curves import LightCurve, LightCurves
from astromer.windows.batches import assemble
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, nothing_probed
from astromer.windows.windows import Windows, sequential_windows

SEEN = ("times", "magnitudes", "centre", "scale")


@pytest.fixture(params=[False, True], ids=["raw", "normalised"])
def normalise(request: pytest.FixtureRequest) -> bool:
    return request.param


@given(
    seed=st.integers(0, 2**32),
    planted=st.sampled_from([0.0, 1e30, -5.0, float("nan"), float("inf")]),
    normalise=st.booleans(),
    shares=st.tuples(*[st.integers(0, 10).map(lambda tenth: tenth / 10)] * 3),
)
def test_planted_values_at_hidden_steps_change_nothing_the_network_sees(
    toy, seed: int, planted: float, normalise: bool, shares: tuple[float, float, float]
) -> None:
    curves = toy.curves([20, 33, 7, 2, 1], seed)
    windows = sequential_windows(curves.offsets, 20)
    probing = draw(windows.length, 20, MaskingConfig(*shares), seed=[seed], first=0)
    mag = curves.mag.copy()
    index = windows.start[:, None] + np.arange(20)
    mag[index[probing.hidden]] = planted
    before = assemble(curves, windows, probing, normalise=normalise)
    with np.errstate(all="ignore"):
        other = dataclasses.replace(curves, mag=mag)
        after = assemble(other, windows, probing, normalise=normalise)
    for name in SEEN:
        assert getattr(before, name).tobytes() == getattr(after, name).tobytes(), name


def test_magnitudes_are_the_true_ones_replaced_or_zero(toy, normalise: bool) -> None:
    curves = toy.curves([20, 33, 7])
    windows = sequential_windows(curves.offsets, 20)
    probing = draw(windows.length, 20, MaskingConfig(), seed=[4], first=0)
    batch = assemble(curves, windows, probing, normalise=normalise)
    for row in range(len(windows)):
        mag = [float(m) for m in curves.mag[windows.start[row] :][: windows.length[row]]]
        told = [m for m, truthful in zip(mag, probing.truthful[row]) if truthful]
        centre = sum(told) / len(told)
        variance = sum((m - centre) ** 2 for m in told) / len(told)
        scale = variance**0.5 if normalise else 1.0
        assert batch.centre[row] == pytest.approx(centre, abs=1e-6)
        assert batch.scale[row] == pytest.approx(scale, rel=1e-6)
        for step in range(20):
            if step >= len(mag) or probing.hidden[row, step]:
                assert batch.magnitudes[row, step] == 0
                continue
            source = probing.donor[row, step] if probing.random[row, step] else step
            expected = (mag[source] - centre) / scale
            assert batch.magnitudes[row, step] == pytest.approx(expected, abs=1e-5)


def test_target_is_true_everywhere_and_zero_at_padding(toy, normalise: bool) -> None:
    curves = toy.curves([20, 7])
    windows = sequential_windows(curves.offsets, 20)
    probing = draw(windows.length, 20, MaskingConfig(), seed=[4], first=0)
    batch = assemble(curves, windows, probing, normalise=normalise)
    restored = batch.target * batch.scale[:, None] + batch.centre[:, None]
    assert restored[probing.observed] == pytest.approx(curves.mag, abs=3e-6)
    padding = ~probing.observed
    assert padding.sum() == 13
    for name, value in (("times", 0), ("magnitudes", 0), ("target", 0), ("errmag", 1)):
        assert (getattr(batch, name)[padding] == value).all(), name


def test_normalised_truthful_magnitudes_have_unit_spread(toy) -> None:
    batch = toy.batch(normalise=True)
    for target, truthful in zip(batch.target, batch.probing.truthful):
        assert target[truthful].mean() == pytest.approx(0, abs=1e-5)
        assert target[truthful].std() == pytest.approx(1, abs=1e-4)


def test_times_keep_seconds_at_mjd_59000() -> None:
    second = 1 / 86400
    mjd = 59000.3 + np.arange(20) * second
    curve = LightCurve(mjd, np.zeros(20, np.float32), np.ones(20, np.float32))
    curves = LightCurves.from_curves([curve])
    windows = sequential_windows(curves.offsets, 20)
    batch = assemble(curves, windows, nothing_probed(windows.length, 20))
    assert np.diff(batch.times[0]) == pytest.approx(np.full(19, second), rel=1e-5)
    assert batch.times[0].mean() == pytest.approx(0, abs=1e-9)


def test_float32_times_would_not_pass_that_test() -> None:
    mjd = (59000.3 + np.arange(20) / 86400).astype(np.float32)
    assert np.abs(np.diff(mjd) - 1 / 86400).max() > 1e-5


def test_magnitudes_of_equal_value_are_centred_to_zero_even_when_normalised() -> None:
    curve = LightCurve(np.arange(20.0), np.full(20, 14.1, np.float32), np.full(20, 0.1, np.float32))
    curves = LightCurves.from_curves([curve])
    windows = sequential_windows(curves.offsets, 20)
    probing = draw(windows.length, 20, MaskingConfig(), seed=[1], first=0)
    batch = assemble(curves, windows, probing, normalise=True)
    assert (batch.target == 0).all()
    assert batch.scale[0] == 1


def test_a_window_at_the_very_end_of_the_data_reads_nothing_beyond_it(toy) -> None:
    curves = toy.curves([5, 3])
    windows = Windows(np.array([5]), np.array([3]), np.array([1]))
    batch = assemble(curves, windows, nothing_probed(windows.length, 20))
    assert batch.curve.tolist() == [1]
    assert batch.target[0, :3] + batch.centre[0] == pytest.approx(curves.mag[5:], abs=1e-5)
    assert (batch.target[0, 3:] == 0).all()


def test_types_and_shapes(toy) -> None:
    batch = toy.batch((20, 20, 7, 13, 5, 41))
    assert len(batch) == 8
    for name in ("times", "magnitudes", "target", "errmag"):
        array = getattr(batch, name)
        assert (array.dtype, array.shape) == (np.float32, (8, 20)), name
