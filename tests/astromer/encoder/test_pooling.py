from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.pooling import pool_steps, pool_windows, pool_windows_numpy

HEADS = ("mean", "max", "layers")


def layers_and_observed(padding: float) -> tuple[list[tf.Tensor], tf.Tensor]:
    rng = np.random.default_rng(0)
    observed = np.arange(6) < np.array([6, 2, 4])[:, None]
    layers = [rng.normal(size=(3, 6, 5)).astype(np.float32) for _ in range(2)]
    return [tf.constant(np.where(observed[..., None], z, padding)) for z in layers], observed


@pytest.mark.parametrize("head", HEADS)
def test_padding_never_counts(head):
    clean = pool_steps(*layers_and_observed(0.0), head)
    for padding in (1e30, -1e30, np.nan):
        assert np.array_equal(pool_steps(*layers_and_observed(padding), head), clean)


@pytest.mark.parametrize("head", HEADS)
def test_windows_of_a_curve_are_joined_by_their_observed_steps(head):
    layers, observed = layers_and_observed(7.0)
    row, count = np.array([0, 0, 1]), np.array([8, 4, 0])
    pooled = pool_steps(layers, observed, head)

    joined = pool_windows(pooled, tf.constant(row), tf.constant(count), head).numpy()

    chosen = layers if head == "layers" else layers[-1:]
    for curve in (0, 1):
        steps = [z.numpy()[row == curve][observed[row == curve]] for z in chosen]
        wanted = [z.max(axis=0) if head == "max" else z.mean(axis=0) for z in steps]
        np.testing.assert_allclose(joined[curve], wanted, rtol=1e-5, atol=1e-6)
    assert not joined[2].any()  # a light curve without observations
    again = pool_windows_numpy(pooled.numpy(), row, count, head)
    np.testing.assert_allclose(again, joined, rtol=1e-5, atol=1e-6)
