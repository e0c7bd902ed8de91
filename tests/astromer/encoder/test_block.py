from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.block import EncoderBlock
from astromer.encoder.steps import Steps


def layer_norm(x: np.ndarray, layer) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6)
    return scaled * np.asarray(layer.gamma) + np.asarray(layer.beta)


def dense(x: np.ndarray, layer) -> np.ndarray:
    return x @ np.asarray(layer.kernel) + np.asarray(layer.bias)


@pytest.mark.parametrize("skip", [False, True], ids=["astromer_v1", "astromer_v2"])
def test_formula(skip: bool) -> None:
    block = EncoderBlock(2, 12, 0.5, skip=skip, seed=1)
    block.build((None, None, 8))
    rng = np.random.default_rng(0)
    for variable in block.variables:
        variable.assign_add(rng.normal(0, 0.3, variable.shape))
    x = rng.normal(size=(2, 5, 8)).astype(np.float32)

    h = block.attention.read(Steps(x), tf.zeros(1)).numpy()
    h = layer_norm(h + dense(x, block.attention_skip) if skip else h, block.attention_norm)
    y = dense(np.tanh(dense(h, block.ffn_in)), block.ffn_out)
    y = layer_norm(y + dense(h, block.ffn_skip) if skip else y, block.ffn_norm)
    assert block.read(Steps(x), tf.zeros(1)).value().numpy() == pytest.approx(y, abs=2e-5)


def test_dropout_acts_in_training_alone() -> None:
    block = EncoderBlock(2, 12, 0.5, skip=True, seed=1)
    block.build((None, None, 8))
    x = tf.random.stateless_normal((2, 5, 8), [1, 2])
    key = tf.constant([1, 0, 0], tf.int64)
    quiet = block.read(Steps(x), tf.zeros(1), training=False, dropout_key=key).value().numpy()
    noisy = block.read(Steps(x), tf.zeros(1), training=True, dropout_key=key).value().numpy()
    assert (quiet == block.read(Steps(x), tf.zeros(1)).value().numpy()).all()
    assert np.abs(quiet - noisy).max() > 0.1


def test_seeds_fix_the_weights_and_no_two_layers_share_them() -> None:
    def weights(seed: int | None) -> list[np.ndarray]:
        block = EncoderBlock(2, 8, 0.0, skip=True, seed=seed)
        block.build((None, None, 8))
        return [np.asarray(v) for v in block.variables]

    for one, other in zip(weights(3), weights(3)):
        assert (one == other).all()
    kernels = [w for w in weights(3) if w.shape == (8, 8)]
    assert len(kernels) == 5
    for i, one in enumerate(kernels):
        assert all((one != other).any() for other in kernels[i + 1 :])
    assert (weights(None)[0] != weights(None)[0]).any()
