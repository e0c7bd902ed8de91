from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.layers import FastLayerNorm, FlatDense, allow_fusion, fused


def test_only_bfloat16_is_compiled_and_only_on_request() -> None:
    assert fused(tf.tanh, tf.bfloat16) is tf.tanh
    with allow_fusion():
        assert fused(tf.tanh, tf.float32) is tf.tanh
        assert fused(tf.tanh, tf.bfloat16) is not tf.tanh
        with allow_fusion(False):
            assert fused(tf.tanh, tf.bfloat16) is tf.tanh
    assert fused(tf.tanh, tf.bfloat16) is tf.tanh


def test_bfloat16_is_compiled_and_has_a_gradient(capfd: pytest.CaptureFixture[str]) -> None:
    x = tf.cast(tf.random.stateless_normal((3, 5), [1, 2]), tf.bfloat16)
    found = []
    with allow_fusion():
        compiled = fused(tf.tanh, tf.bfloat16)
    for function in (compiled, tf.tanh):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        found.append([y, tape.gradient(y, x)])
    for one, other in zip(*found):
        assert one.dtype == tf.bfloat16
        near = pytest.approx(tf.cast(other, tf.float32).numpy(), abs=0.02)
        assert tf.cast(one, tf.float32).numpy() == near
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("activation", [None, "tanh"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (2, 0, 3)])
def test_it_is_keras_s_dense(shape: tuple[int, ...], activation: str | None) -> None:
    ours, theirs = (kind(7, activation=activation) for kind in (FlatDense, keras.layers.Dense))
    x = tf.random.stateless_normal(shape, [1, 2])
    for layer in (ours, theirs):
        layer.build(shape)
    theirs.set_weights(ours.get_weights())
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = [layer(x) for layer in (ours, theirs)]
    assert outputs[0].shape == (*shape[:-1], 7)
    assert outputs[0].numpy() == pytest.approx(outputs[1].numpy(), abs=1e-6)
    for layer, output in zip((ours, theirs), outputs):
        layer.found = [g.numpy() for g in tape.gradient(output, [x, *layer.trainable_variables])]
    for got, expected in zip(ours.found, theirs.found):
        assert got == pytest.approx(expected, abs=1e-5)


def test_it_is_saved_and_read_as_a_dense_layer() -> None:
    layer = FlatDense(3)
    layer.build((None, 2))
    again = FlatDense.from_config(layer.get_config())
    again.build((None, 2))
    again.set_weights(layer.get_weights())
    x = np.ones((1, 2), np.float32)
    assert (np.asarray(again(x)) == np.asarray(layer(x))).all()


@pytest.mark.parametrize("offset", [0.0, 100.0], ids=["centred", "far off"])
@pytest.mark.parametrize("shape", [(6, 8), (3, 5, 8)])
def test_values_and_gradients_are_keras_s(shape: tuple[int, ...], offset: float) -> None:
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(offset, 2, shape), tf.float32)
    upstream = tf.constant(rng.normal(size=shape), tf.float32)
    found = []
    for kind in (FastLayerNorm, keras.layers.LayerNormalization):
        layer = kind(epsilon=1e-6)
        layer.build(shape)
        rng = np.random.default_rng(1)
        for variable in layer.trainable_variables:
            variable.assign(rng.normal(1, 0.5, variable.shape))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        gradients = tape.gradient(y, [x, *layer.trainable_variables], output_gradients=upstream)
        found.append([y, *gradients])
    # Far from zero, float32 itself loses digits.
    for got, expected in zip(*found):
        assert got.numpy() == pytest.approx(expected.numpy(), abs=1e-5 + 1e-6 * offset)


def test_a_constant_row_is_finite() -> None:
    layer = FastLayerNorm(epsilon=1e-6)
    x = tf.constant([[3.0, 3, 3, 3]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    assert y.numpy().tolist() == [[0, 0, 0, 0]]
    assert np.isfinite(tape.gradient(y, x).numpy()).all()
