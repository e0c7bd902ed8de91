from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from astromer.windows.batches import plan_micro_batches
from tools.benchmarks.measuring.curves import mixed_lengths

batches = st.tuples(
    st.integers(1, 300).flatmap(
        lambda size: st.tuples(st.just(size), st.lists(st.integers(0, size), max_size=90))
    ),
    st.integers(1, 40),
)


@given(batches)
def test_every_window_is_in_one_pass_that_it_fits(case) -> None:
    (window_size, lengths), largest = case
    length = np.array(lengths, int)
    passes = plan_micro_batches(length, window_size, largest)
    rows = np.concatenate([[], *(part.rows for part in passes)])
    assert sorted(rows) == list(range(len(length)))
    for part in passes:
        assert 0 < len(part.rows) <= part.size <= largest
        assert length[part.rows].max() <= part.steps <= window_size


@given(batches)
def test_the_number_of_a_window_does_not_depend_on_the_size_of_passes(case) -> None:
    (window_size, lengths), largest = case
    length = np.array(lengths, int)

    def numbers(size: int) -> dict[int, tuple[int, int]]:
        return {
            int(row): (part.steps, part.first_row + place)
            for part in plan_micro_batches(length, window_size, size)
            for place, row in enumerate(part.rows)
        }

    assert numbers(largest) == numbers(1000)
    assert len({number for _, number in numbers(largest).values()}) == len(lengths)


def test_short_windows_are_not_padded_to_the_longest() -> None:
    length = np.repeat([200, 30, 90], [22, 20, 20])
    # Two of 90 fill up those of 200, and two of 30 those of 90.
    assert [(part.steps, part.size) for part in plan_micro_batches(length, 200, 16)] == [
        (200, 16),
        (200, 8),
        (92, 16),
        (92, 4),
        (32, 16),
        (32, 4),  # two windows are empty
    ]


def test_few_shapes_occur() -> None:
    rng, found = np.random.default_rng(0), set()
    for _ in range(200):
        length = rng.integers(1, 201, rng.integers(4, 257))
        found |= {(part.steps, part.size) for part in plan_micro_batches(length, 200, 64)}
    assert len(found) <= 40 * 5
    assert {size for _, size in found} <= {4, 8, 16, 32, 64}


def test_a_small_batch_is_not_padded_to_four() -> None:
    for windows, size in ((1, 1), (2, 2), (3, 4)):
        assert [part.size for part in plan_micro_batches(np.full(windows, 9), 200, 16)] == [size]


def test_padding_is_less_than_a_twentieth() -> None:
    length = np.concatenate([mixed_lengths(256, seed=seed) for seed in range(8)]).reshape(8, 256)
    parts = [part for some in length for part in plan_micro_batches(some, 200, 16)]
    assert sum(part.size * part.steps for part in parts) < 1.05 * length.sum()
    assert len(parts) < 8 * 32  # each costs what 64 windows more would


def test_empty_windows_are_few() -> None:
    rng = np.random.default_rng(0)
    for windows in range(8, 200):
        parts = plan_micro_batches(rng.integers(1, 201, windows), 200, 64)
        assert sum(part.size for part in parts) - windows < 4


def test_empty_windows_hold_zeros() -> None:
    [part] = plan_micro_batches(np.array([3, 5, 4]), 9, 8)
    array = np.arange(27.0).reshape(3, 9)
    found = part.of({"x": array, "scale": array[:, :1], "deep": array[..., None]})
    assert part.size == 4
    assert {name: a.shape for name, a in found.items()} == {
        "x": (4, 8),
        "scale": (4, 1),
        "deep": (4, 8, 1),
    }
    assert (found["x"][:3] == array[part.rows, :8]).all()
    assert not any(a[3:].any() for a in found.values())
    assert plan_micro_batches(np.array([], int), 200, 8) == []
