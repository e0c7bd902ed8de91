from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.order import ASTROMER_1, ASTROMER_2, BLOCKED, AsGiven, Presorted, VisibleFirst
from astromer.encoder.steps import Steps

VISIBLE = np.array([[0, 1, 0, 1, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]], bool)


@pytest.fixture
def order() -> VisibleFirst:
    return VisibleFirst(tf.constant(VISIBLE))


def test_visible_steps_come_first_in_their_own_order(order: VisibleFirst) -> None:
    steps = tf.constant([[0, 1, 2, 3, 4]] * 3)
    assert order.apply(steps).numpy().tolist() == [
        [1, 3, 0, 2, 4],
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4],
    ]


def test_keys_are_the_visible_steps_alone(order: VisibleFirst) -> None:
    x = tf.random.stateless_normal((3, 5, 4), [1, 2])
    keys = order.keys(Steps(x)).value().numpy()
    assert (keys == x.numpy()).all(), "eight keys at a time, as far as there are steps"
    # A window without a visible step attends to its first one.
    shown = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], bool)
    assert (order.bias.numpy()[:, 0, 0] == np.where(shown, 0, BLOCKED)).all()


@pytest.mark.parametrize(("most", "num_keys"), [(1, 8), (8, 8), (9, 16), (17, 20), (20, 20)])
def test_keys_end_near_the_most_that_any_window_shows(most: int, num_keys: int) -> None:
    visible = np.arange(20)[None] < np.array([[most], [1]])
    order = Presorted(tf.constant(visible))
    assert order.keys(Steps(tf.ones((2, 20, 3)))).value().shape == (2, num_keys, 3)
    assert order.bias.shape == (2, 1, 1, num_keys)
    assert ((order.bias.numpy()[:, 0, 0] == 0) == visible[:, :num_keys]).all()


def test_windows_that_come_arranged_are_left_so() -> None:
    visible = tf.constant(-np.sort(-VISIBLE.astype(int), axis=1) > 0)
    order, sorting = Presorted(visible), VisibleFirst(visible)
    steps = tf.constant([[0, 1, 2, 3, 4]] * 3)
    assert (order.apply(steps).numpy() == sorting.apply(steps).numpy()).all()
    assert (order.restore(steps).numpy() == steps.numpy()).all()
    assert (order.bias.numpy() == sorting.bias.numpy()).all()


def test_public_weights_attend_to_every_step() -> None:
    visible = tf.constant(VISIBLE)
    one, two = AsGiven(visible, ASTROMER_1), AsGiven(visible, ASTROMER_2)
    assert (two.bias.numpy()[:, 0, 0] == np.where(VISIBLE, 0, -1e9)).all()
    both = VISIBLE[:, :, None] & VISIBLE[:, None, :]
    assert (one.bias.numpy()[:, 0] == np.where(both, 0, 1)).all()
    x = Steps(tf.ones((3, 5, 4)))
    assert one.keys(x) is x


def test_restore_undoes_apply_in_both_directions(order: VisibleFirst) -> None:
    x = tf.random.stateless_normal((3, 5, 4), [1, 2])
    upstream = tf.random.stateless_normal((3, 5, 4), [3, 4])
    arranged = tf.stack([order.apply(x[..., i]) for i in range(4)], axis=-1)
    with tf.GradientTape() as tape:
        tape.watch(arranged)
        restored = order.restore(arranged)
    assert (restored.numpy() == x.numpy()).all()
    expected = tf.stack([order.apply(upstream[..., i]) for i in range(4)], axis=-1)
    got = tape.gradient(restored, arranged, output_gradients=upstream)
    assert (got.numpy() == expected.numpy()).all()


@pytest.mark.parametrize("windows", [2, 0])
def test_a_batch_without_a_visible_step_has_keys(windows: int) -> None:
    order = VisibleFirst(tf.zeros((windows, 4), tf.bool))
    assert order.keys(Steps(tf.ones((windows, 4, 3)))).value().shape == (windows, 4, 3)
