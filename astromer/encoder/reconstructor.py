"""Masked reconstruction: the encoder with its pre-training head."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.block import LAYER_NORM_EPSILON
from astromer.encoder.dense import FlatDense
from astromer.encoder.encoder import Encoder
from astromer.encoder.normalization import FastLayerNorm
from pipeline_config import EncoderConfig


class Reconstructor(keras.Model):
    """Predicts the magnitude of every step from the visible ones.

    Args:
        encoder: the encoder to train.
        window_size: observations per window that it is trained on.
        normalise: whether it is fed magnitudes divided by the window's visible spread.
        seed: seed of the head's initial weights.
    """

    def __init__(
        self,
        encoder: Encoder,
        window_size: int = 200,
        normalise: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.window_size = window_size
        self.normalise = normalise
        self.norm = FastLayerNorm(epsilon=LAYER_NORM_EPSILON, name="head_norm")
        self.head = FlatDense(
            1, kernel_initializer=keras.initializers.GlorotUniform(seed=seed), name="head"
        )
        self.encoder.build()
        self.norm.build((None, None, encoder.d_model))
        self.head.build((None, None, encoder.d_model))
        self.built = True

    @classmethod
    def from_settings(
        cls, config: EncoderConfig, *, normalise: bool = False, seed: int | None = None
    ) -> Reconstructor:
        """Builds a model, weights and all, from the knobs."""
        encoder = Encoder(
            config.architecture,
            config.d_model,
            config.num_heads,
            config.num_layers,
            config.ffn_dim,
            config.dropout,
            config.pe_base,
            seed=seed,
            name="encoder",
        )
        head_seed = None if seed is None else seed + 1
        return cls(encoder, config.window_size, normalise, seed=head_seed, name="astromer")

    def call(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Arguments as in :meth:`Encoder.call`. Returns float32 [batch, steps], centred."""
        z = self.encoder(times, magnitudes, visible, training=training, dropout_key=dropout_key)
        return self.magnitudes(z)

    def magnitudes(self, z: tf.Tensor) -> tf.Tensor:
        """The head alone: of the encoder's output, float32 [batch, steps], centred."""
        return tf.squeeze(self.head(self.norm(z)), axis=-1)
