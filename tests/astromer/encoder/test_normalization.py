from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.normalization import FastLayerNorm


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
