from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.attention import FusedGlorot, MultiHeadAttention, attend
from astromer.encoder.steps import Steps


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


@pytest.fixture
def layer() -> MultiHeadAttention:
    layer = MultiHeadAttention(3, seed=5)
    layer.build((None, None, 12))
    rng = np.random.default_rng(0)
    for variable in layer.variables:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return layer


def test_it_is_softmax_attention(layer: MultiHeadAttention) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 6, 12)).astype(np.float32)
    bias = rng.normal(size=(2, 1, 1, 6)).astype(np.float32)
    got = layer.read(Steps(x), bias).numpy()

    projected = x @ np.asarray(layer.qkv.kernel) + np.asarray(layer.qkv.bias)
    query, key, value = (projected[..., i * 12 : (i + 1) * 12] for i in range(3))
    expected = np.zeros_like(x)
    for head in range(3):
        part = slice(4 * head, 4 * head + 4)
        logits = query[..., part] @ key[..., part].transpose(0, 2, 1) / 2.0
        expected[..., part] = softmax(logits + bias[:, 0]) @ value[..., part]
    expected = expected @ np.asarray(layer.merge.kernel) + np.asarray(layer.merge.bias)
    assert got == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("num_keys", [6, 4])
def test_the_gradient_written_out_is_the_automatic_one(num_keys: int) -> None:
    query, upstream = (tf.random.stateless_normal((2, 3, 6, 4), [1, i]) for i in range(2))
    key, value = (tf.random.stateless_normal((2, 3, num_keys, 4), [2, i]) for i in range(2))
    bias = tf.constant([0.0, -1e9] * (num_keys // 2))

    def textbook(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        logits = tf.einsum("bhqd,bhkd->bhqk", query, key) / 2.0 + bias
        return tf.einsum("bhqk,bhkd->bhqd", tf.nn.softmax(logits), value)

    found = []
    for function in (lambda *inputs: attend(*inputs, bias), textbook):
        with tf.GradientTape() as tape:
            tape.watch([query, key, value])
            output = function(query, key, value)
        found.append([output, *tape.gradient(output, [query, key, value], upstream)])
    for got, expected in zip(*found):
        assert got.numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_keys_may_be_other_steps_than_queries(layer: MultiHeadAttention) -> None:
    x = tf.random.stateless_normal((2, 6, 12), [1, 2])
    bias = tf.where(tf.range(6) < 4, 0.0, -1e9)
    fewer = layer.read(Steps(x), tf.zeros(1), Steps(x[:, :4])).numpy()
    assert fewer == pytest.approx(layer.read(Steps(x), bias).numpy(), abs=1e-5)


def test_a_blocked_key_leaves_no_trace(layer: MultiHeadAttention) -> None:
    x = np.random.default_rng(1).normal(size=(1, 4, 12)).astype(np.float32)
    bias = np.array([0, 0, -1e9, 0], np.float32)[None, None, None, :]
    planted = x.copy()
    planted[:, 2] += 5
    one, other = layer.read(Steps(x), bias).numpy(), layer.read(Steps(planted), bias).numpy()
    rest = [0, 1, 3]
    assert one[:, rest].tobytes() == other[:, rest].tobytes()
    assert (one[:, 2] != other[:, 2]).all()


def test_width_must_be_divisible() -> None:
    with pytest.raises(ValueError, match=r"must divide the width\. Received: heads=5"):
        MultiHeadAttention(5).build((None, None, 12))


def test_each_projection_is_drawn_as_if_it_stood_alone() -> None:
    kernel = np.asarray(FusedGlorot(seed=3)((64, 192), dtype="float32"))
    limit = np.sqrt(6 / 128)
    parts = np.split(kernel, 3, axis=1)
    for part in parts:
        assert 0.9 * limit < np.abs(part).max() <= limit
    assert not np.allclose(parts[0], parts[1])
    assert (kernel == np.asarray(FusedGlorot(seed=3)((64, 192), dtype="float32"))).all()
    assert (kernel != np.asarray(FusedGlorot(seed=9)((64, 192), dtype="float32"))).any()


def test_compiled_and_eager_agree_for_any_number_of_steps(layer: MultiHeadAttention) -> None:
    spec = tf.TensorSpec([None, None, 12], tf.float32)
    compiled = tf.function(lambda x: layer.read(Steps(x), tf.zeros(1)), input_signature=[spec])
    for steps in (1, 5, 9):
        x = tf.random.stateless_normal((2, steps, 12), [1, steps])
        assert compiled(x).numpy() == pytest.approx(
            layer.read(Steps(x), tf.zeros(1)).numpy(), abs=1e-5
        )


def test_weights_are_those_that_values_are_multiplied_with(layer: MultiHeadAttention) -> None:
    x = tf.random.stateless_normal((2, 6, 12), [1, 2])
    keys, bias = Steps(x[:, :4]), tf.constant([0.0, 0.0, -1e9, 0.0])
    weights = layer.attention_weights(Steps(x), bias, keys)
    value = layer._project(Steps(x), keys)[2]
    heads = tf.reshape(tf.transpose(weights @ value, [0, 2, 1, 3]), [2, 6, 12])
    merged = layer.merge.read(Steps(heads))
    assert merged.numpy() == pytest.approx(layer.read(Steps(x), bias, keys).numpy(), abs=1e-5)
    assert weights.numpy().sum(axis=-1) == pytest.approx(1, abs=1e-6)
    assert (weights.numpy()[..., 2] == 0).all()
