from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.training.config import TrainingConfig
from tools.benchmarks.baseline import PlainModel, PlainTraining, plain_loss

CONFIG = EncoderConfig(d_model=8, num_heads=2, num_layers=2, ffn_dim=12, window_size=20)


@pytest.fixture
def both(toy):
    """A model of the package, the plain one with its weights, and a batch."""
    model = toy.model("astromer_v1")
    plain = PlainModel(CONFIG)
    plain.copy_weights(model)
    return model, plain, toy.batch()


def test_the_plain_model_computes_what_the_package_does(both):
    model, plain, batch = both
    inputs = (batch.times, batch.magnitudes, batch.probing.visible)
    expected = model(*map(tf.constant, inputs)).numpy()
    got = plain(*map(tf.constant, inputs)).numpy()
    observed = batch.probing.observed
    np.testing.assert_allclose(got[observed], expected[observed], atol=2e-5)


def test_the_plain_loss_is_the_published_one(both):
    _, _, batch = both
    predicted = np.random.default_rng(0).normal(size=batch.target.shape).astype(np.float32)
    got = float(plain_loss(batch.target, predicted, batch.probing.probed))
    probed = batch.probing.probed
    means = [np.mean((y - p)[m] ** 2) for y, p, m in zip(batch.target, predicted, probed)]
    assert got == pytest.approx(np.sqrt(np.mean(means)), rel=1e-5)


def test_the_plain_step_learns(both):
    _, plain, batch = both
    training = PlainTraining(plain, TrainingConfig(learning_rate=1e-2))
    inputs = (batch.times, batch.magnitudes, batch.probing.visible, batch.target)
    losses = [
        float(training.step(*map(tf.constant, inputs), tf.constant(batch.probing.probed)))
        for _ in range(12)
    ]
    assert losses[-1] < losses[0]
