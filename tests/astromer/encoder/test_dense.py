from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.dense import FlatDense


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
