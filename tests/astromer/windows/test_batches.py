from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from astromer.light_curves import LightCurve, LightCurves
from astromer.windows.batches import Windows, assemble, random_windows, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, nothing_probed

lengths_lists = st.lists(st.integers(0, 60), min_size=0, max_size=8)


def offsets_of(lengths: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def covered(windows: Windows) -> list[int]:
    return [i for s, n in zip(windows.start, windows.length) for i in range(s, s + n)]


@given(lengths_lists, st.integers(1, 25))
@example([20, 40, 0, 60], 20)
def test_sequential_windows_cover_each_observation_once_in_order(
    lengths: list[int], window_size: int
) -> None:
    windows = sequential_windows(offsets_of(lengths), window_size)
    assert covered(windows) == list(range(sum(lengths)))
    assert (windows.length >= 1).all()
    assert (windows.length <= window_size).all()


@given(lengths_lists, st.integers(1, 25))
def test_sequential_windows_are_full_but_for_the_last_of_each_curve(
    lengths: list[int], window_size: int
) -> None:
    windows = sequential_windows(offsets_of(lengths), window_size)
    expected = [
        (curve, min(window_size, length - first))
        for curve, length in enumerate(lengths)
        for first in range(0, length, window_size)
    ]
    assert list(zip(windows.curve.tolist(), windows.length.tolist())) == expected


@pytest.mark.parametrize(
    ("length", "expected"), [(200, [200]), (400, [200] * 2), (401, [200] * 2 + [1])]
)
def test_multiples_of_the_window_have_no_duplicate_last_window(
    length: int, expected: list[int]
) -> None:
    assert sequential_windows(offsets_of([length]), 200).length.tolist() == expected


@given(lengths_lists, st.integers(1, 25), st.integers(0, 2**40))
def test_random_windows_stay_inside_their_curve(
    lengths: list[int], window_size: int, seed: int
) -> None:
    offsets = offsets_of(lengths)
    windows = random_windows(offsets, window_size, np.random.default_rng(seed))
    assert (windows.start >= offsets[windows.curve]).all()
    assert (windows.start + windows.length <= offsets[windows.curve + 1]).all()
    assert windows.length.tolist() == [min(window_size, lengths[c]) for c in windows.curve]
    drawn = np.bincount(windows.curve, minlength=len(lengths)).tolist()
    assert drawn == [-(-length // window_size) for length in lengths]


def test_random_windows_reach_both_ends_of_a_curve_and_every_start() -> None:
    rng = np.random.default_rng(0)
    starts = np.concatenate([random_windows(offsets_of([10]), 7, rng).start for _ in range(200)])
    assert sorted(set(starts.tolist())) == [0, 1, 2, 3]


def test_random_windows_come_in_random_order_and_differ_by_seed() -> None:
    offsets = offsets_of([50] * 30)

    def drawn(seed: int) -> Windows:
        return random_windows(offsets, 20, np.random.default_rng(seed))

    assert drawn(1).curve.tolist() != sorted(drawn(1).curve.tolist())
    assert drawn(1).start.tolist() == drawn(1).start.tolist()
    assert drawn(1).start.tolist() != drawn(2).start.tolist()


def test_windows_can_be_sliced_and_chosen() -> None:
    windows = sequential_windows(offsets_of([30, 30]), 20)
    assert windows[1:3].start.tolist() == [20, 30]
    assert len(windows[windows.length == 10]) == 2


SEEN = ("times", "magnitudes", "centre", "scale")


@pytest.fixture(params=[False, True], ids=["raw", "normalised"])
def normalise(request: pytest.FixtureRequest) -> bool:
    return request.param


@given(
    seed=st.integers(0, 2**32),
    planted=st.sampled_from([0.0, 1e30, -5.0, float("nan"), float("inf")]),
    normalise=st.booleans(),
    shares=st.tuples(*[st.integers(0, 10).map(lambda tenth: tenth / 10)] * 3).filter(
        lambda shares: shares[:2] != (1, 0)  # the config refuses it
    ),
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
