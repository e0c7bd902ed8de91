from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from astromer.encoder.steps import Embedded, Standardised, Steps, Weights


def normal(shape: tuple[int, ...], seed: int) -> tf.Tensor:
    return tf.random.stateless_normal(shape, [7, seed])


KERNEL, BIAS = normal((6, 4), 1), normal((4,), 2)


def values_and_gradients(make: Callable, read: Callable) -> list[np.ndarray]:
    with tf.GradientTape() as tape:
        tape.watch([KERNEL, BIAS])
        steps, parts = make(tape)
        y = read(steps)
    upstream = normal(tuple(y.shape), 9)
    gradients = tape.gradient(y, [*parts, KERNEL, BIAS], output_gradients=upstream)
    return [np.asarray(x) for x in (y, *gradients)]


@pytest.mark.parametrize("kind", [Standardised, Embedded])
@pytest.mark.parametrize("part", [False, True], ids=["all steps", "some steps"])
def test_projecting_is_multiplying_the_value(kind: type[Steps], part: bool) -> None:
    shapes = {
        Standardised: [(3, 5, 6), (6,), (6,)],
        Embedded: [(3, 5, 2), (2, 6), (3, 5, 6)],
    }[kind]

    def make(tape: tf.GradientTape) -> tuple[Steps, list[tf.Tensor]]:
        parts = [normal(shape, seed) for seed, shape in enumerate(shapes, start=3)]
        tape.watch(parts)
        steps = kind(*parts)
        return (steps.part(1, 3) if part else steps), parts

    found = values_and_gradients(make, lambda x: x.project(Weights(KERNEL, BIAS)))
    expected = values_and_gradients(make, lambda x: tf.tensordot(x.value(), KERNEL, 1) + BIAS)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_parts_of_a_part_are_those_of_the_whole() -> None:
    x = Steps(normal((2, 7, 3), 1))
    assert (x.part(2).part(1, 2).value().numpy() == x.value().numpy()[:, 3:5]).all()


@pytest.mark.parametrize("kind", [Standardised, Embedded])
def test_products_are_of_the_type_of_the_steps_and_weights_stay_float32(kind: type[Steps]) -> None:
    half = [normal((3, 5, n), n) for n in (6, 2)]
    weights = [normal((6,), 4), normal((2, 6), 5)]
    narrow = [tf.cast(x, tf.bfloat16) for x in half]
    with tf.GradientTape() as tape:
        tape.watch([*weights, KERNEL, BIAS])
        if kind is Standardised:
            x: Steps = Standardised(narrow[0], weights[0], weights[0])
        else:
            x = Embedded(narrow[1], weights[1], narrow[0])
        y = x.project(Weights(KERNEL, BIAS))
    assert y.dtype == tf.bfloat16
    used = weights[:1] if kind is Standardised else weights[1:]
    gradients = tape.gradient(y, [*used, KERNEL, BIAS])
    assert all(g.dtype == tf.float32 for g in gradients)
    exact = tf.tensordot(tf.cast(x.value(), tf.float32), KERNEL, 1) + BIAS
    assert tf.cast(y, tf.float32).numpy() == pytest.approx(exact.numpy(), abs=0.1)
