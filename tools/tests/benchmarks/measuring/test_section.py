from __future__ import annotations

import time

import pytest

from astromer.encoder.config import EncoderConfig
from tools.benchmarks.measuring import section as module
from tools.benchmarks.measuring.products import ARRANGEMENTS
from tools.benchmarks.measuring.section import BFLOAT16, OURS, PLAIN, Section

pytestmark = pytest.mark.usefixtures("in_this_process")


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
    rows, notes = section.run(2)
    assert [(row.measurement, row.way) for row in rows] == [
        ("step", PLAIN),
        ("step", OURS),
        ("epoch", PLAIN),
        ("epoch", OURS),
    ]
    assert [row.flops for row in rows] == [5.0, 5.0, 0.0, 0.0]
    assert all(row.peak > 10 << 20 for row in rows)
    assert rows[0].ratio == 1.0
    assert rows[1].ratio > 1.5
    assert notes == []


def test_each_way_is_compared_with_products_of_its_own_precision(monkeypatch) -> None:
    def makers(config, precisions):
        # 60 and 240 units a second one at a time; 120 and 120 at once.
        rates = {"float32": (0.1, 0.05), "mixed_bfloat16": (0.025, 0.05)}
        return {
            arrangement: lambda i=i: {name: way(rates[name][i]) for name in precisions}
            for i, arrangement in enumerate(ARRANGEMENTS)
        }

    monkeypatch.setattr(module, "product_makers", makers)
    names = (PLAIN, OURS, BFLOAT16)
    section = Section(
        {name: lambda: {"step": way(0.05), "short": way(0.01)} for name in names},
        {"step": 0.5},
        EncoderConfig(),
    )
    rows, notes = section.run(1)
    shares = {row.way: row.share for row in rows if row.measurement == "step"}
    assert shares[PLAIN] == pytest.approx(0.5, rel=0.4)
    assert shares[BFLOAT16] == pytest.approx(0.25, rel=0.4)
    assert [row.share for row in rows if row.measurement == "short"] == [0, 0, 0]
    assert len(notes) == 3
    assert notes[0].startswith("Matrix products in float32: ")
    assert notes[0].index("one on each core at once") < notes[0].index("one at a time")
    assert notes[1].index("one on each core at once") > notes[1].index("one at a time")
    assert notes[2].startswith("bfloat16 over the package's float32: step ")
    assert "; short " in notes[2]
