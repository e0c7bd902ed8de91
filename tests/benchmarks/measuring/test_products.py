from __future__ import annotations

import pytest
import tensorflow as tf

from benchmarks.baseline import PlainModel
from benchmarks.measuring.products import forward_flops, matrix_product, training_flops
from pipeline_config import EncoderConfig

CONFIG = EncoderConfig(d_model=16, num_heads=2, num_layers=3, ffn_dim=24, window_size=10)


def test_the_flops_are_those_of_the_products_of_the_plain_model() -> None:
    model = PlainModel(CONFIG)
    arrays = [tf.zeros([1, 10]), tf.zeros([1, 10]), tf.ones([1, 10], tf.bool)]
    graph = tf.function(model.encode).get_concrete_function(*arrays).graph
    counted = sum(_flops(operation) for operation in graph.get_operations())
    embedding = 2 * 10 * 16  # one input per step, left out of the count
    assert counted == forward_flops(CONFIG) + embedding


def _flops(operation: tf.Operation) -> float:
    """2 m n k of a product, times its batch."""
    if operation.type not in ("MatMul", "BatchMatMulV2"):
        return 0.0
    left = operation.inputs[0].shape.as_list()
    out = operation.outputs[0].shape.as_list()
    inner = (
        left[-2] if operation.type == "MatMul" and operation.get_attr("transpose_a") else left[-1]
    )
    size = 2.0 * inner
    for length in out:
        size *= length
    return size


def test_training_is_three_times_the_forward_pass() -> None:
    assert training_flops(CONFIG) == 3 * forward_flops(CONFIG)


def test_the_architectures_differ_in_their_feed_forward_layer() -> None:
    one, two = (forward_flops(EncoderConfig(name)) for name in ("astromer_v1", "astromer_v2"))
    assert two - one == 4 * 2 * 2 * 200 * 256 * 128


def test_a_product_counts_its_work() -> None:
    assert matrix_product(CONFIG, windows=4)() == pytest.approx(32 * 2 * 40 * 16 * 16)
