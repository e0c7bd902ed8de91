from __future__ import annotations

import pytest
import tensorflow as tf

from astromer.encoder.fusing import fused


def test_float32_is_left_to_tensorflow() -> None:
    assert fused(tf.tanh, tf.float32) is tf.tanh


def test_bfloat16_is_compiled_and_has_a_gradient(capfd: pytest.CaptureFixture[str]) -> None:
    x = tf.cast(tf.random.stateless_normal((3, 5), [1, 2]), tf.bfloat16)
    found = []
    for function in (fused(tf.tanh, tf.bfloat16), tf.tanh):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        found.append([y, tape.gradient(y, x)])
    for one, other in zip(*found):
        assert one.dtype == tf.bfloat16
        near = pytest.approx(tf.cast(other, tf.float32).numpy(), abs=0.02)
        assert tf.cast(one, tf.float32).numpy() == near
    assert capfd.readouterr().err == ""
