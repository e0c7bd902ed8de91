from __future__ import annotations

import pytest

from astromer.encoder.config import EncoderConfig
from tools.benchmarks.measuring.products import (
    ARRANGEMENTS,
    best_product,
    describe_products,
    matrix_products,
    product_makers,
    product_name,
    product_turns,
)
from tools.benchmarks.measuring.turns import Speed
from tools.benchmarks.measuring.workers import running

CONFIG = EncoderConfig(d_model=16, num_heads=2, window_size=10)
PRECISIONS = ("float32", "mixed_bfloat16")


@pytest.mark.parametrize("at_once", [False, True])
def test_products_count_their_work(monkeypatch, at_once: bool) -> None:
    monkeypatch.setattr("tools.benchmarks.measuring.products.cores", lambda: 3)
    ways = matrix_products(CONFIG, PRECISIONS, windows=4, at_once=at_once)
    assert tuple(ways) == PRECISIONS
    for way in ways.values():
        assert way() == (66 if at_once else 64) * 2 * 40 * 16 * 16


def test_every_precision_and_arrangement_takes_turns(in_this_process) -> None:
    with running(product_makers(CONFIG, PRECISIONS)) as workers:
        turns = product_turns(workers, PRECISIONS)
        assert set(turns) == {product_name(p, a) for p in PRECISIONS for a in ARRANGEMENTS}
        assert all(turn().work > 0 for turn in turns.values())


def test_the_faster_arrangement_counts() -> None:
    one, two = ARRANGEMENTS
    speeds = {
        product_name("float32", one): Speed((5e9, 6e9, 99e9), (1.0, 1.0, 1.0)),
        product_name("float32", two): Speed((8e9, 7e9, 1e9), (1.0, 1.0, 1.0)),
    }
    assert best_product(speeds, "float32") == product_name("float32", two)
    assert describe_products(speeds, "float32") == (
        "Matrix products in float32: 7 GFLOP/s one on each core at once, "
        "6 one at a time on all cores."
    )
