from __future__ import annotations

import time

import pytest

from benchmarks.measuring import section as module
from benchmarks.measuring.section import OURS, PLAIN, Section


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch) -> None:
    # This process has used TensorFlow, and must not be forked to use it again.
    monkeypatch.setattr(module, "in_a_child", lambda work: (work(), 7 << 20))


def way(seconds: float):
    def work() -> float:
        time.sleep(seconds)
        return 6.0

    return work


def test_every_measurement_has_a_row_for_each_way() -> None:
    section = Section(
        {
            PLAIN: lambda: {"step": way(0.02), "epoch": way(0.01)},
            OURS: lambda: {"step": way(0.005), "epoch": way(0.01)},
        },
        {"step": 5.0},
    )
    rows = section.run(2)
    assert [(row.measurement, row.way) for row in rows] == [
        ("step", PLAIN),
        ("step", OURS),
        ("epoch", PLAIN),
        ("epoch", OURS),
    ]
    assert [row.flops for row in rows] == [5.0, 5.0, 0.0, 0.0]
    assert [row.peak for row in rows] == [7 << 20] * 4
    assert rows[0].ratio == 1.0
    assert rows[1].ratio > 1.5


def test_memory_may_be_left_out() -> None:
    made = []
    section = Section(
        {name: lambda name=name: made.append(name) or {"a": way(0.001)} for name in (PLAIN, OURS)}
    )
    assert [row.peak for row in section.run(1, memory=False)] == [0, 0]
    assert made == [PLAIN, OURS]
