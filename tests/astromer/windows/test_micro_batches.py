from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from astromer.windows.batches import plan_micro_batches

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
        assert 0 < len(part.rows) <= largest
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
    length = np.repeat([200, 30, 90], 20)
    assert [(part.steps, len(part.rows)) for part in plan_micro_batches(length, 200, 16)] == [
        (200, 16),
        (200, 4),
        (96, 16),
        (96, 4),
        (48, 16),
        (48, 4),
    ]


def test_a_few_windows_join_longer_ones() -> None:
    length = np.array([200, 150, 100, *[20] * 40])
    assert [(part.steps, len(part.rows)) for part in plan_micro_batches(length, 200, 64)] == [
        (200, 43)
    ]
    assert plan_micro_batches(np.array([], int), 200, 8) == []
