"""Multi-head self-attention with one fused projection."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


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
        self.qkv = keras.layers.Dense(
            3 * width, kernel_initializer=FusedGlorot(self.seed), name="qkv"
        )
        self.merge = keras.layers.Dense(
            width,
            kernel_initializer=keras.initializers.GlorotUniform(seed=merge_seed),
            name="merge",
        )
        self.qkv.build(input_shape)
        self.merge.build(input_shape)
        self.built = True

    def call(self, x: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
        """x: float [batch, steps, width]; bias: float, broadcast to [batch, 1, steps, steps].

        Returns float [batch, steps, width].
        """
        batch, steps, width = tf.shape(x)[0], tf.shape(x)[1], x.shape[-1]
        depth = width // self.num_heads
        projected = tf.reshape(self.qkv(x), [batch, steps, 3, self.num_heads, depth])
        query, key, value = tf.unstack(tf.transpose(projected, [2, 0, 3, 1, 4]))
        # Scaling the queries touches fewer numbers than scaling the products.
        logits = tf.matmul(query * depth**-0.5, key, transpose_b=True) + bias
        heads = tf.matmul(tf.nn.softmax(logits), value)
        return self.merge(tf.reshape(tf.transpose(heads, [0, 2, 1, 3]), [batch, steps, width]))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_heads": self.num_heads, "seed": self.seed}
