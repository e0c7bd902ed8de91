from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from astromer.windows.windows import Windows, random_windows, sequential_windows

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
