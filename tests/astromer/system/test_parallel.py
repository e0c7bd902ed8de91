from __future__ import annotations

import threading
import time

import pytest

from astromer.system.parallel import OrderedPool, micro_batches_at_once


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
