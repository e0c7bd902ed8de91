from __future__ import annotations

import time
from functools import partial

import pytest

from tools.benchmarks.measuring.turns import Speed, take_turn, take_turns


def test_ways_take_turns_and_the_first_turn_does_not_count() -> None:
    done = []

    def way(name: str, seconds: float):
        def work() -> float:
            slow = 0.2 if not done or len(done) == 1 else seconds  # as if it had to be compiled
            done.append(name)
            time.sleep(slow)
            return 10

        return work

    ways = {"one": way("one", 0.02), "two": way("two", 0.01)}
    speeds = take_turns({name: partial(take_turn, ways[name]) for name in ways}, 3)
    assert done == ["one", "two"] * 4
    assert len(speeds["one"].wall) == len(speeds["two"].processor) == 3
    assert 100 < speeds["one"].median <= 500
    assert speeds["one"].processor_median > speeds["one"].median, "sleeping takes no processor"


def test_ratios_are_those_of_each_turn() -> None:
    fast = Speed(wall=(10.0, 100.0, 30.0), processor=(8.0, 8.0, 8.0))
    slow = Speed(wall=(5.0, 25.0, 10.0), processor=(2.0, 4.0, 1.0))
    assert fast.over(slow) == (pytest.approx(3.0), pytest.approx(4.0))


def test_a_turn_tells_work_seconds_and_memory() -> None:
    def work() -> float:
        time.sleep(0.02)
        return 7.0

    turn = take_turn(work)
    assert turn.work == 7
    assert turn.processor < 0.02 <= turn.wall
    assert turn.peak > 10 << 20
