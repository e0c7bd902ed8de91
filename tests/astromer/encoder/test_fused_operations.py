from __future__ import annotations

import pytest
import tensorflow as tf

from astromer.encoder.fused_operations import fused, fusing


def test_only_bfloat16_is_compiled_and_only_on_request() -> None:
    assert fused(tf.tanh, tf.bfloat16) is tf.tanh
    with fusing():
        assert fused(tf.tanh, tf.float32) is tf.tanh
        assert fused(tf.tanh, tf.bfloat16) is not tf.tanh
        with fusing(False):
            assert fused(tf.tanh, tf.bfloat16) is tf.tanh
    assert fused(tf.tanh, tf.bfloat16) is tf.tanh


def test_bfloat16_is_compiled_and_has_a_gradient(capfd: pytest.CaptureFixture[str]) -> None:
    x = tf.cast(tf.random.stateless_normal((3, 5), [1, 2]), tf.bfloat16)
    found = []
    with fusing():
        compiled = fused(tf.tanh, tf.bfloat16)
    for function in (compiled, tf.tanh):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        found.append([y, tape.gradient(y, x)])
    for one, other in zip(*found):
        assert one.dtype == tf.bfloat16
        near = pytest.approx(tf.cast(other, tf.float32).numpy(), abs=0.02)
        assert tf.cast(one, tf.float32).numpy() == near
    assert capfd.readouterr().err == ""
