"""How fast this machine multiplies matrices of the network's sizes, in the ways it can."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.system.parallel import claim_cores, cores
from astromer.training.step import PRODUCT_TYPES
from tools.benchmarks.measuring.turns import Speed, Turn, Way
from tools.benchmarks.measuring.workers import Make, Worker

ARRANGEMENTS = {"one at a time on all cores": False, "one on each core at once": True}
_REPEATS = 64


def product_makers(config: EncoderConfig, precisions: Sequence[str]) -> dict[str, Make]:
    """Both arrangements, each for a process of its own, with a way for each precision."""
    return {
        arrangement: partial(matrix_products, config, precisions, at_once=at_once)
        for arrangement, at_once in ARRANGEMENTS.items()
    }


def matrix_products(
    config: EncoderConfig, precisions: Sequence[str], windows: int = 64, *, at_once: bool = False
) -> Mapping[str, Way]:
    """Products of the projections' shape, by precision; their work is counted in FLOPs.

    Args:
        config: sizes.
        precisions: as ``TrainingConfig.precision``.
        windows: whose steps are projected.
        at_once: a product on each core at once, instead of TensorFlow's own arrangement. Must be
            asked for before TensorFlow is used.
    """
    if at_once:
        claim_cores()
    return {name: _product(config, PRODUCT_TYPES[name], windows, at_once) for name in precisions}


def _product(config: EncoderConfig, dtype: tf.DType, windows: int, at_once: bool) -> Way:
    rows, width = windows * config.window_size, config.d_model
    left = tf.constant(np.random.default_rng(0).normal(size=(rows, width)), dtype)
    right = tf.constant(np.random.default_rng(1).normal(size=(width, width)), dtype)
    product = tf.function(lambda: tf.linalg.matmul(left, right)[0, 0])
    threads = cores() if at_once else 1
    each = -(-_REPEATS // threads)
    pool = ThreadPoolExecutor(threads)

    def multiply(_: int) -> float:
        for _ in range(each):
            product().numpy()
        return each * 2.0 * rows * width**2

    return lambda: sum(pool.map(multiply, range(threads)))


def product_turns(
    workers: Mapping[str, Worker], precisions: Sequence[str]
) -> dict[str, Callable[[], Turn]]:
    """The turns of every precision and arrangement, by :func:`product_name`."""
    return {
        product_name(precision, arrangement): partial(workers[arrangement].turn, precision)
        for precision in precisions
        for arrangement in ARRANGEMENTS
    }


def product_name(precision: str, arrangement: str) -> str:
    """What a product is called among the ways that take turns."""
    return f"{precision} product, {arrangement}"


def best_product(speeds: Mapping[str, Speed], precision: str) -> str:
    """The name of the faster arrangement."""
    names = [product_name(precision, arrangement) for arrangement in ARRANGEMENTS]
    return max(names, key=lambda name: speeds[name].median)


def describe_products(speeds: Mapping[str, Speed], precision: str) -> str:
    """Both arrangements in one line, the faster one first."""
    rates = {a: speeds[product_name(precision, a)].median / 1e9 for a in ARRANGEMENTS}
    (best, most), (other, less) = sorted(rates.items(), key=lambda item: -item[1])
    return f"Matrix products in {precision}: {most:,.0f} GFLOP/s {best}, {less:,.0f} {other}."
