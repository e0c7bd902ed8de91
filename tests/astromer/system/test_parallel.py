from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from astromer.system import parallel
from astromer.system.parallel import (
    BFLOAT16,
    FLOAT32,
    KERNELS,
    OrderedPool,
    choose_kernels,
    faster_precision,
    micro_batches_at_once,
    product_seconds,
)


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    def slowest_first(item: int) -> int:
        time.sleep(0.02 / (item + 1))
        return 10 * item

    assert list(OrderedPool(threads).map(slowest_first, range(9))) == [10 * i for i in range(9)]
    assert list(OrderedPool(threads).map(slowest_first, [])) == []


def test_several_items_are_under_way_at_once_and_not_all_of_them() -> None:
    lock, started, most = threading.Lock(), [], 0
    together = threading.Barrier(2, timeout=20)

    def meet(item: int) -> int:
        with lock:
            started.append(item)
        together.wait()  # would never return if items ran one by one
        return item

    results = OrderedPool(2).map(meet, range(8))
    for number in range(8):
        assert next(results) == number
        most = max(most, len(started) - number)
    assert most <= 4


def test_a_failure_reaches_the_caller() -> None:
    def fail(item: int) -> int:
        if item == 1:
            raise ValueError("item 1")
        return item

    results = OrderedPool(2).map(fail, range(3))
    assert next(results) == 0
    with pytest.raises(ValueError, match="item 1"):
        next(results)


@pytest.mark.slow
def test_cores_are_claimed_before_tensorflow_starts_and_never_against_the_user(toy) -> None:
    code = (
        "import os, sys; from astromer.system.parallel import claim_cores, micro_batches_at_once;"
        "import tensorflow as tf; from astromer.system.distribution import make_strategy;"
        "strategy = make_strategy() if sys.argv[1] == 'first' else tf.distribute.get_strategy();"
        "tf.zeros(1) + 1; claim_cores();"
        "print(micro_batches_at_once(strategy.num_replicas_in_sync),"
        "tf.config.threading.get_intra_op_parallelism_threads())"
    )
    from astromer.system.parallel import cores

    def found(order: str, **env: str) -> list[str]:
        return toy.python("-c", code, order, env=env).stdout.split()[-2:]

    assert found("first", TF_NUM_INTRAOP_THREADS="") == [str(cores()), "1"]
    assert found("late", TF_NUM_INTRAOP_THREADS="") == ["1", "0"]
    assert found("first", TF_NUM_INTRAOP_THREADS="2") == ["1", "0"]


def test_replicas_run_beside_each_other_already() -> None:
    assert micro_batches_at_once(2) == 1
    assert micro_batches_at_once() >= 1


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(KERNELS, raising=False)
    return tmp_path / "astromer"


def write_seconds(folder: Path, monkeypatch, without: list[float], with_it: list[float]) -> None:
    """Makes measuring find these seconds, of float32 and bfloat16, without and with oneDNN."""
    monkeypatch.setattr(
        parallel,
        "product_seconds",
        lambda: {
            way: dict(zip((FLOAT32, BFLOAT16), took))
            for way, took in {"0": without, "1": with_it}.items()
        },
    )


@pytest.mark.parametrize(
    ("without", "with_it", "chosen"),
    [
        ([5, 5], [4, 2], "1"),
        ([5, 5], [4.99, 5], "0"),  # no difference
        ([5, 5], [6, 2], "0"),  # the default precision would lose
        ([5, 9], [5.1, 2], "1"),
    ],
)
def test_kernels_are_those_that_were_faster(cache, monkeypatch, without, with_it, chosen) -> None:
    write_seconds(cache, monkeypatch, without, with_it)
    choose_kernels()
    assert os.environ[KERNELS] == chosen
    monkeypatch.setenv(KERNELS, "user's")
    choose_kernels()
    assert os.environ[KERNELS] == "user's"


@pytest.mark.parametrize(("way", "faster"), [("0", FLOAT32), ("1", BFLOAT16)])
def test_the_faster_precision_is_that_of_the_kernels(cache, monkeypatch, way, faster) -> None:
    write_seconds(cache, monkeypatch, [5, 5], [4, 2])
    monkeypatch.setenv(KERNELS, way)
    assert faster_precision() == faster
    monkeypatch.setattr(parallel, "product_seconds", dict)
    assert faster_precision() == ""


def test_products_are_timed_once(cache, monkeypatch) -> None:
    monkeypatch.setattr(parallel, "_SECONDS", 60.0)
    found = product_seconds()
    assert {way: set(took) for way, took in found.items()} == {
        way: {FLOAT32, BFLOAT16} for way in ("0", "1")
    }
    assert all(0 < seconds < 1 for took in found.values() for seconds in took.values())
    files = sorted(cache.iterdir())
    assert len(files) == 2
    monkeypatch.setattr(parallel.subprocess, "Popen", None)
    assert product_seconds() == found
    files[0].write_text(json.dumps({FLOAT32: "damaged"}))
    assert product_seconds() == {}


def test_where_nothing_can_be_kept_the_kernels_are_tensorflow_s_own(cache, monkeypatch) -> None:
    cache.write_text("no folder")
    assert product_seconds() == {}
    choose_kernels()
    assert os.environ[KERNELS] == "0"
