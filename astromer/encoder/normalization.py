"""Layer normalisation with its gradient written out."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class FastLayerNorm(keras.layers.LayerNormalization):
    """keras.layers.LayerNormalization over the last axis, in half the passes over memory."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """x: float [..., width]. Returns the same shape."""
        gamma, beta = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        return _normalise(x, gamma, beta, self.epsilon)


def _normalise(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float) -> tf.Tensor:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta (Ba et al. 2016)."""

    @tf.custom_gradient
    def normalise(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> Any:
        centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        inverse = tf.math.rsqrt(variance + epsilon)
        unit = centred * inverse

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            # Sums as products with a vector: several times as fast as tf.reduce_sum on a CPU.
            width = upstream.shape[-1]
            along = upstream * unit
            share = gamma[:, None] / width
            mean, slope = (_times(part, share) for part in (upstream, along))
            return (
                inverse * (upstream * gamma - mean - unit * slope),
                _column_sums(along),
                _column_sums(upstream),
            )

        return unit * gamma + beta, gradient

    return normalise(x, gamma, beta)


def _times(x: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
    """x [..., width] times column [width, 1]."""
    product = tf.matmul(tf.reshape(x, [-1, x.shape[-1]]), column)
    return tf.reshape(product, tf.concat([tf.shape(x)[:-1], [1]], axis=0))


def _column_sums(x: tf.Tensor) -> tf.Tensor:
    """Sum over all axes but the last."""
    flat = tf.reshape(x, [-1, x.shape[-1]])
    return tf.matmul(tf.ones([1, tf.shape(flat)[0]], x.dtype), flat)[0]
