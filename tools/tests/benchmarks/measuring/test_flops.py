from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.encoder.inference import sort_steps
from astromer.windows.batches import plan_micro_batches
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw
from tools.benchmarks.baseline import PlainModel
from tools.benchmarks.measuring.flops import (
    forward_flops,
    keys_and_scored,
    package_training_flops,
    training_flops,
)

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


@pytest.mark.parametrize(
    "masking",
    [MaskingConfig(), MaskingConfig(0.75, 0.1, 0.5), MaskingConfig(1, 0.1, 0), MaskingConfig(0)],
)
@pytest.mark.parametrize("steps", [200, 27])
def test_keys_and_scored_steps_are_those_of_the_train_step(masking, steps: int) -> None:
    config = EncoderConfig(window_size=steps)
    lengths = np.full(6, steps)
    probing = draw(lengths, steps, masking, seed=[1], first=0)
    parts = plan_micro_batches(lengths, steps, 8)
    _, stretches = sort_steps({}, parts, probing, probing.probed)
    [(first, keys)] = stretches.values()
    assert keys_and_scored(config, masking) == (keys, steps - first)


def test_where_all_is_seen_and_scored_only_the_gradient_of_the_embedding_is_saved() -> None:
    everything = MaskingConfig(probed=1, same=1, random=0)
    saved = 3 * 2 * 10 * 16**2  # of queries, keys and values in the first block
    assert package_training_flops(CONFIG, everything) == training_flops(CONFIG) - saved


def test_what_is_hidden_or_not_scored_takes_fewer_products() -> None:
    default = EncoderConfig()
    assert keys_and_scored(default, MaskingConfig()) == (136, 100)
    share = package_training_flops(default, MaskingConfig()) / training_flops(default)
    assert 0.65 < share < 0.85
