from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.curve_encoder import CurveEncoder
from astromer.encoder.pooling import pool_steps, pool_windows, pool_windows_numpy
from astromer.light_curves import LightCurves

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


@pytest.mark.parametrize("head", HEADS)
def test_an_embedding_does_not_depend_on_the_company(head, survey, source):
    encode = CurveEncoder(source.make(0), head)
    some = survey["test"].take(np.array([3, 0, 5]))
    together = encode(some)
    for i in range(3):
        np.testing.assert_allclose(encode(some.take(np.array([i])))[0], together[i], atol=2e-6)


def test_the_mean_is_that_of_the_served_embedding(survey, source):
    served = tf.saved_model.load(str(source.path)).signatures["embed"]
    curve = survey["test"][1]
    answer = served(
        mjd=tf.constant(curve.mjd[None]),
        mag=tf.constant(curve.mag[None]),
        errmag=tf.constant(curve.errmag[None]),
        length=tf.constant([len(curve)], tf.int64),
    )
    curves = LightCurves.from_curves([curve])
    for head in ("mean", "max"):
        found = CurveEncoder(source.make(0), head)(curves)[0, 0]
        np.testing.assert_allclose(found, answer[head].numpy()[0], atol=2e-6)
