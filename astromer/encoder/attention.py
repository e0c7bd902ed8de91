"""Multi-head self-attention whose Q, K and V share one kernel."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.layers import FlatDense, fused
from astromer.encoder.steps import Steps


class FusedGlorot(keras.initializers.Initializer):
    """Glorot's uniform draw for Q, K and V side by side, each scaled as a kernel of its own."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        rows, columns = shape
        seeds = [None] * 3 if self.seed is None else [self.seed + i for i in range(3)]
        draws = (keras.initializers.GlorotUniform(seed=seed) for seed in seeds)
        return keras.ops.concatenate([d((rows, columns // 3), dtype=dtype) for d in draws], axis=1)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class MultiHeadAttention(keras.layers.Layer):
    """softmax(q k^T / sqrt(depth) + bias) v, heads merged by a linear layer.

    Args:
        num_heads: heads; must divide the width.
        seed: seed of the initial weights; None draws them at random.
    """

    def __init__(self, num_heads: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_heads, self.seed = num_heads, seed

    def build(self, input_shape: Any) -> None:
        width = input_shape[-1]
        if width % self.num_heads:
            heads = self.num_heads
            raise ValueError(f"num_heads must divide the width. Received: {heads=}, {width=}")
        glorot = keras.initializers.GlorotUniform(None if self.seed is None else self.seed + 3)
        self.qkv = FlatDense(3 * width, kernel_initializer=FusedGlorot(self.seed), name="qkv")
        self.merge = FlatDense(width, kernel_initializer=glorot, name="merge")
        self.qkv.build(input_shape)
        self.merge.build(input_shape)
        self.built = True

    def read(self, x: Steps, bias: tf.Tensor, keys: Steps | None = None) -> tf.Tensor:
        """Every step of ``x`` attends to the steps of ``keys``.

        Args:
            x: float [batch, steps, width].
            bias: float32, broadcast to [batch, 1, steps, num_keys], added to the logits.
            keys: float [batch, num_keys, width]; ``x`` itself by default.

        Returns:
            float [batch, steps, width], of the type of ``x``.
        """
        query, key, value = self._project(x, keys)
        heads = tf.transpose(attend(query, key, value, tf.cast(bias, query.dtype)), [0, 2, 1, 3])
        shape = tf.shape(heads)
        merged = tf.reshape(heads, [shape[0], shape[1], self.merge.kernel.shape[0]])
        return self.merge.read(Steps(merged))

    def attention_weights(self, x: Steps, bias: tf.Tensor, keys: Steps | None = None) -> tf.Tensor:
        """float [batch, heads, steps, keys], those in :meth:`read` with the same arguments."""
        query, key, _ = self._project(x, keys)
        return attention_weights(query, key, tf.cast(bias, query.dtype))

    def _project(self, x: Steps, keys: Steps | None) -> list[tf.Tensor]:
        """Queries of ``x``, keys and values, float [batch, heads, steps or num_keys, depth].

        Three products, as K and V may have fewer steps.
        """
        keys = x if keys is None else keys
        parts = zip((x, keys, keys), self.qkv.weights_read.split(3), strict=True)
        return [self._heads(source.project(weights)) for source, weights in parts]

    def _heads(self, x: tf.Tensor) -> tf.Tensor:
        """float [batch, steps, width] to [batch, heads, steps, depth]."""
        shape = tf.shape(x)
        split = tf.reshape(x, [shape[0], shape[1], self.num_heads, -1])
        return tf.transpose(split, [0, 2, 1, 3])


def attention_weights(query: tf.Tensor, key: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """softmax(query key^T / sqrt(depth) + bias); arguments as in :func:`attend`."""
    # In this form TensorFlow fuses scale, bias and product.
    scale = tf.cast(_scale(query), query.dtype)
    return tf.nn.softmax(tf.matmul(query, key, transpose_b=True) * scale + bias)


def _scale(query: tf.Tensor) -> tf.Tensor:
    """float32, 1 / sqrt(depth)."""
    # Not a constant, which TensorFlow does not fuse with a product in the loop of a served model.
    return 1 / tf.sqrt(tf.cast(tf.shape(query)[-1], tf.float32))


@tf.custom_gradient
def attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, bias: tf.Tensor) -> Any:
    """softmax(query key^T / sqrt(depth) + bias) value.

    The gradient is written out: with sum(w dw) = sum(out dout) (Dao et al. 2022, FlashAttention,
    eq. 4) it reads the [steps, keys] weights half as often as automatic differentiation.

    Args:
        query: float [batch, heads, steps, depth].
        key, value: float [batch, heads, keys, depth].
        bias: float, broadcast to [batch, heads, steps, keys]; a constant of the gradient.

    Returns:
        float [batch, heads, steps, depth].
    """
    scale = _scale(query)
    weights = attention_weights(query, key, bias)
    output = tf.matmul(weights, value)
    logit_gradient = fused(_logit_gradient, query.dtype)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        # Scaling the values touches fewer numbers than scaling the logits.
        along = tf.matmul(upstream, value * tf.cast(scale, value.dtype), transpose_b=True)
        logits = logit_gradient(weights, along, upstream, output, scale)
        return (
            tf.matmul(logits, key),
            tf.matmul(logits, query, transpose_a=True),
            tf.matmul(weights, upstream, transpose_a=True),
            None,
        )

    return output, gradient


def _logit_gradient(
    weights: tf.Tensor, along: tf.Tensor, upstream: tf.Tensor, output: tf.Tensor, scale: tf.Tensor
) -> tf.Tensor:
    """weights (along - scale sum(upstream output)), in float32 and back."""
    dtype = weights.dtype
    weights, along, upstream, output = (
        tf.cast(x, tf.float32) for x in (weights, along, upstream, output)
    )
    total = scale * tf.reduce_sum(upstream * output, axis=-1, keepdims=True)
    return tf.cast(weights * (along - total), dtype)
