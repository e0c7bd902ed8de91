"""The benchmark's arithmetic, and that each way does its work."""

from __future__ import annotations

import pytest

from tools.benchmarks.beam_runners import (
    IN_MEMORY,
    PLAIN,
    PROCESSES,
    WAYS,
    WORK,
    Cost,
    break_even,
    line_through,
    make_examples,
    options_of,
    to_table,
)

SIZES = (1_000, 10_000, 50_000)


def costs(fixed: float, slope: float) -> dict[int, float]:
    return {size: fixed + slope * size for size in SIZES}


def test_a_line_is_found_again():
    assert line_through(costs(3.0, 2e-4)) == pytest.approx((3.0, 2e-4))


def test_break_even_is_where_both_take_as_long():
    plain, processes = costs(1.0, 1e-4), costs(22.0, 2e-4)  # two workers: 11 s for each
    assert break_even(plain, processes, 2, 2) is None  # as much work, shared by two: no gain
    least = break_even(plain, processes, 2, 8)
    assert least == pytest.approx((11 - 1) / (1e-4 - 2e-4 / 8))
    assert 1.0 + 1e-4 * least == pytest.approx(11 + 2e-4 * least / 8)
    assert break_even(costs(20.0, 1e-4), costs(2.0, 1e-4), 2, 2) == 0


def test_the_table_tells_every_way_and_the_break_even():
    made = {
        ("validation", way, size): Cost(wall=9.0, cpu=cpu + size * slope, peak=2.0**30)
        for way, cpu, slope in ((PLAIN, 1, 1e-4), (IN_MEMORY, 2, 2e-4), (PROCESSES, 22, 2e-4))
        for size in SIZES
    }
    table = to_table(made, 2)
    assert [line for line in table if line.startswith("validation  ")] == table[2:5]
    assert "       9.0     22.2     11.1    1,024" in table[4]
    assert table[5].endswith("2: never, 4: 200,000, 8: 133,333, 16: 114,286")


@pytest.mark.parametrize("work", sorted(WORK))
@pytest.mark.parametrize("way", WAYS[:2])  # the third is that of tests/components
def test_each_way_does_its_work(tmp_path, work, way):
    make_examples(tmp_path, 10, 20)
    WORK[work](tmp_path, options_of(way, 2))()


def test_only_the_last_way_has_processes():
    assert options_of(PLAIN, 3) == ()
    assert options_of(PROCESSES, 3)[-1] == "--direct_num_workers=3"
