"""Matrix products over all steps of all windows."""

from __future__ import annotations

import tensorflow as tf


def project(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """x kernel + bias, all steps of all windows in one matrix product.

    A product of [batch, steps, width] with a broadcast kernel would make the kernel's gradient
    for every window first and then sum it.

    Args:
        x: float [..., width].
        kernel: float [width, units]; brought to the type of ``x``.
        bias: float [units].

    Returns:
        float [..., units], of the type of ``x``.
    """
    kernel, bias = tf.cast(kernel, x.dtype), tf.cast(bias, x.dtype)
    flat = tf.reshape(x, [-1, x.shape[-1]])
    y = tf.nn.bias_add(tf.matmul(flat, kernel), bias)
    return tf.reshape(y, tf.concat([tf.shape(x)[:-1], [kernel.shape[-1]]], axis=0))
