"""Multi-head self-attention with one fused projection."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.dense import FlatDense, project


class FusedGlorot(keras.initializers.Initializer):
    """Glorot's uniform draw for Q, K and V side by side, each as if it stood alone."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        rows, columns = shape
        seeds = [None] * 3 if self.seed is None else [self.seed + i for i in range(3)]
        parts = [
            keras.initializers.GlorotUniform(seed=seed)((rows, columns // 3), dtype=dtype)
            for seed in seeds
        ]
        return keras.ops.concatenate(parts, axis=1)

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
        self.num_heads = num_heads
        self.seed = seed

    def build(self, input_shape: Any) -> None:
        width = input_shape[-1]
        if width % self.num_heads:
            raise ValueError(
                f"num_heads must divide the width. Received: num_heads={self.num_heads}, "
                f"width={width}"
            )
        merge_seed = None if self.seed is None else self.seed + 3
        self.qkv = FlatDense(3 * width, kernel_initializer=FusedGlorot(self.seed), name="qkv")
        self.merge = FlatDense(
            width,
            kernel_initializer=keras.initializers.GlorotUniform(seed=merge_seed),
            name="merge",
        )
        self.qkv.build(input_shape)
        self.merge.build(input_shape)
        self.built = True

    def call(self, x: tf.Tensor, bias: tf.Tensor, keys: tf.Tensor | None = None) -> tf.Tensor:
        """Every step asks; the steps of ``keys`` answer.

        Args:
            x: float [batch, steps, width].
            bias: float, broadcast to [batch, 1, steps, num_keys], added to the logits.
            keys: float [batch, num_keys, width]; ``x`` itself by default.

        Returns:
            float [batch, steps, width].
        """
        keys = x if keys is None else keys
        query, key, value = (
            self._heads(project(source, kernel, shift))
            for source, kernel, shift in zip((x, keys, keys), *self._kernels(), strict=True)
        )
        heads = attend(query, key, value, bias)
        merged = tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), tf.shape(x))
        return self.merge(tf.ensure_shape(merged, [None, None, x.shape[-1]]))

    def _kernels(self) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Kernels and biases of Q, K and V: of each its own product, as K and V see fewer steps."""
        # Split and not sliced: the gradient of a slice is a slow scatter.
        kernel, bias = self.qkv.kernel, self.qkv.bias
        return tf.split(tf.convert_to_tensor(kernel), 3, axis=1), tf.split(
            tf.convert_to_tensor(bias), 3
        )

    def _heads(self, x: tf.Tensor) -> tf.Tensor:
        """float [batch, steps, width] to [batch, heads, steps, depth]."""
        shape, depth = tf.shape(x), x.shape[-1] // self.num_heads
        split = tf.reshape(x, [shape[0], shape[1], self.num_heads, depth])
        return tf.transpose(split, [0, 2, 1, 3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_heads": self.num_heads, "seed": self.seed}


@tf.custom_gradient
def attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, bias: tf.Tensor) -> Any:
    """softmax(query key^T / sqrt(depth) + bias) value.

    The gradient is written out: with sum(w dw) = sum(out dout) (Dao et al. 2022, FlashAttention,
    eq. 4) it passes over the [steps, keys] weights half as often as automatic differentiation.

    Args:
        query: float [batch, heads, steps, depth].
        key, value: float [batch, heads, keys, depth].
        bias: float, broadcast to [batch, heads, steps, keys]; a constant of the gradient.

    Returns:
        float [batch, heads, steps, depth].
    """
    # Scaling the queries touches fewer numbers than scaling the products.
    scale = query.shape[-1] ** -0.5
    scaled = query * scale
    weights = tf.nn.softmax(tf.matmul(scaled, key, transpose_b=True) + bias)
    output = tf.matmul(weights, value)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        total = tf.reduce_sum(upstream * output, axis=-1, keepdims=True)
        logits = weights * (tf.matmul(upstream, value, transpose_b=True) - total)
        return (
            tf.matmul(logits, key) * scale,
            tf.matmul(logits, scaled, transpose_a=True),
            tf.matmul(weights, upstream, transpose_a=True),
            None,
        )

    return output, gradient
