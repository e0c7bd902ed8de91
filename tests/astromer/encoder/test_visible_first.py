from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.visible_first import BLOCKED, VisibleFirst

VISIBLE = np.array([[0, 1, 0, 1, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]], bool)


@pytest.fixture
def order() -> VisibleFirst:
    return VisibleFirst(tf.constant(VISIBLE))


def test_visible_steps_come_first_in_their_own_order(order: VisibleFirst) -> None:
    steps = tf.constant([[0, 1, 2, 3, 4]] * 3)
    assert order.arrange(steps).numpy().tolist() == [
        [1, 3, 0, 2, 4],
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
    ]


def test_keys_are_the_visible_steps_alone(order: VisibleFirst) -> None:
    x = tf.random.stateless_normal((3, 5, 4), [1, 2])
    keys = order.keys(x).numpy()
    assert keys.shape == (3, 3, 4)
    shown = np.array([[1, 1, 0], [1, 1, 1], [0, 0, 0]], bool)
    assert (order.bias.numpy()[:, 0, 0] == np.where(shown, 0, BLOCKED)).all()
    assert (keys[shown] == x.numpy()[:, :3][shown]).all()
    assert (keys[~shown] == 0).all()


def test_restore_undoes_arrange_in_both_directions(order: VisibleFirst) -> None:
    x = tf.random.stateless_normal((3, 5, 4), [1, 2])
    upstream = tf.random.stateless_normal((3, 5, 4), [3, 4])
    arranged = tf.stack([order.arrange(x[..., i]) for i in range(4)], axis=-1)
    with tf.GradientTape() as tape:
        tape.watch(arranged)
        restored = order.restore(arranged)
    assert (restored.numpy() == x.numpy()).all()
    expected = tf.stack([order.arrange(upstream[..., i]) for i in range(4)], axis=-1)
    got = tape.gradient(restored, arranged, output_gradients=upstream)
    assert (got.numpy() == expected.numpy()).all()


def test_a_batch_without_a_visible_step_has_one_key() -> None:
    order = VisibleFirst(tf.zeros((2, 4), tf.bool))
    assert order.keys(tf.ones((2, 4, 3))).numpy().tolist() == [[[0, 0, 0]]] * 2
