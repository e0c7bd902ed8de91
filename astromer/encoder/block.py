"""The blocks of the encoder."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.attention import MultiHeadAttention
from astromer.encoder.dropout import CounterDropout
from astromer.encoder.layers import FastLayerNorm, FlatDense
from astromer.encoder.steps import Steps

LAYER_NORM_EPSILON = 1e-6  # of the public code


class EncoderBlock(keras.layers.Layer):
    """Attention and a tanh feed-forward, each followed by dropout and LayerNorm.

    h = LN(drop(MHA(x)) [+ skip1(x)]); y = LN(drop(Dense(tanh(Dense(h)))) [+ skip2(h)]).
    Astromer 1 has no skip connections; those of Astromer 2 are projections ("leak").

    Args:
        num_heads: attention heads.
        ffn_dim: width of the tanh layer.
        dropout: dropout rate.
        skip: whether there are projected skip connections.
        salt: number of this block, for dropout.
        seed: of the initial weights.
    """

    activation = "tanh"

    def __init__(
        self,
        num_heads: int,
        ffn_dim: int,
        dropout: float,
        skip: bool,
        salt: int = 0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads, self.ffn_dim, self.dropout = num_heads, ffn_dim, dropout
        self.skip, self.salt, self.seed = skip, salt, seed

    def build(self, input_shape: Any) -> None:
        width = input_shape[-1]
        self.attention = MultiHeadAttention(self.num_heads, seed=self._seed(0), name="attention")
        self.attention_dropout = CounterDropout(self.dropout, 2 * self.salt, name="attention_drop")
        self.attention_norm = FastLayerNorm(epsilon=LAYER_NORM_EPSILON, name="attention_norm")
        self.ffn_in = self._dense(self.ffn_dim, 10, "ffn_in", activation=self.activation)
        self.ffn_out = self._dense(width, 11, "ffn_out")
        self.ffn_dropout = CounterDropout(self.dropout, 2 * self.salt + 1, name="ffn_drop")
        self.ffn_norm = FastLayerNorm(epsilon=LAYER_NORM_EPSILON, name="ffn_norm")
        for layer in (self.attention, self.attention_norm, self.ffn_in, self.ffn_norm):
            layer.build(input_shape)
        self.ffn_out.build((*input_shape[:-1], self.ffn_dim))
        if self.skip:
            self.attention_skip = self._dense(width, 12, "attention_skip")
            self.ffn_skip = self._dense(width, 13, "ffn_skip")
            self.attention_skip.build(input_shape)
            self.ffn_skip.build(input_shape)
        self.built = True

    def read(
        self,
        x: Steps,
        bias: tf.Tensor,
        keys: Steps | None = None,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
    ) -> Steps:
        """Arguments as in MultiHeadAttention. Returns [batch, steps, width], of the type of x."""
        attended = self.attention.read(x, bias, keys)
        hidden = self.attention_norm.standardise(
            attended,
            self.attention_skip.read(x) if self.skip else None,
            self.attention_dropout.kept(tf.shape(attended), training, dropout_key),
            self.attention_dropout.scale,
        )
        y = self.ffn_out.read(Steps(self.ffn_in.read(hidden)))
        return self.ffn_norm.standardise(
            y,
            self.ffn_skip.read(hidden) if self.skip else None,
            self.ffn_dropout.kept(tf.shape(y), training, dropout_key),
            self.ffn_dropout.scale,
        )

    def dense_layers(
        self, before: EncoderBlock | None
    ) -> list[tuple[FlatDense, FastLayerNorm | None]]:
        """Its dense layers and the LayerNorm whose output each reads; None for another input.

        Without those that read the input embedding.

        Args:
            before: the block before; None for none.
        """
        found = [
            (self.attention.merge, None),
            (self.ffn_in, self.attention_norm),
            (self.ffn_out, None),
        ]
        if self.skip:
            found.append((self.ffn_skip, self.attention_norm))
        if before is not None:
            found.append((self.attention.qkv, before.ffn_norm))
            if self.skip:
                found.append((self.attention_skip, before.ffn_norm))
        return found

    def _dense(self, width: int, number: int, name: str, **kwargs: Any) -> FlatDense:
        initializer = keras.initializers.GlorotUniform(seed=self._seed(number))
        return FlatDense(width, kernel_initializer=initializer, name=name, **kwargs)

    def _seed(self, number: int) -> int | None:
        return None if self.seed is None else self.seed + number


class PreNormBlock(EncoderBlock):
    """Attention and a GELU feed-forward, each of what LayerNorm makes of its input.

    h = x + drop(MHA(LN(x))); y = h + drop(Dense(gelu(Dense(LN(h))))) (Xiong et al. 2020,
    arXiv 2002.04745): the features of the input embedding reach the head without a detour.
    """

    activation = "gelu"

    def read(
        self,
        x: Steps,
        bias: tf.Tensor,
        keys: Steps | None = None,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
    ) -> Steps:
        """Arguments as in MultiHeadAttention. Returns [batch, steps, width], of the type of x."""
        given, norm = x.value(), self.attention_norm
        read_keys = norm.standardise((keys or x).value())
        attended = self.attention.read(norm.standardise(given), bias, read_keys)
        # Not through Keras, which would cast bfloat16 to float32.
        hidden = given + self.attention_dropout.call(attended, training, dropout_key)
        y = self.ffn_out.read(Steps(self.ffn_in.read(self.ffn_norm.standardise(hidden))))
        return Steps(hidden + self.ffn_dropout.call(y, training, dropout_key))

    def dense_layers(
        self, before: EncoderBlock | None
    ) -> list[tuple[FlatDense, FastLayerNorm | None]]:
        """As of the base class."""
        return [
            (self.attention.qkv, self.attention_norm),
            (self.attention.merge, None),
            (self.ffn_in, self.ffn_norm),
            (self.ffn_out, None),
        ]
