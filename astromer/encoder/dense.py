"""A dense layer over the last axis."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def project(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """x kernel + bias, all steps of all windows in one matrix product.

    A product of [batch, steps, width] with a broadcast kernel would make the kernel's gradient
    for every window first and then sum it.

    Args:
        x: float [..., width].
        kernel: float [width, units].
        bias: float [units].

    Returns:
        float [..., units].
    """
    flat = tf.reshape(x, [-1, x.shape[-1]])
    y = tf.nn.bias_add(tf.matmul(flat, kernel), bias)
    return tf.reshape(y, tf.concat([tf.shape(x)[:-1], [kernel.shape[-1]]], axis=0))


class FlatDense(keras.layers.Dense):
    """keras.layers.Dense through :func:`project`."""

    def call(self, x: tf.Tensor, training: Any = None) -> tf.Tensor:
        """x: float [..., width]. Returns float [..., units]."""
        y = project(x, tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias))
        return y if self.activation is None else self.activation(y)
