"""Masked reconstruction: the encoder with its pre-training head."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.block import LAYER_NORM_EPSILON
from astromer.encoder.config import EncoderConfig
from astromer.encoder.encoder import Encoder
from astromer.encoder.layers import FastLayerNorm, FlatDense
from astromer.encoder.phase_features import NUM_FITS
from astromer.system.config import to_dict


class Reconstructor(keras.Model):
    """Predicts the magnitude of every step from the visible ones.

    Args:
        encoder: the encoder to train.
        window_size: observations per window.
        normalise: whether its input magnitudes are divided by the window's visible spread.
        seed: of the head's initial weights.
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
        self.encoder, self.window_size, self.normalise = encoder, window_size, normalise
        self.norm = FastLayerNorm(epsilon=LAYER_NORM_EPSILON, name="head_norm")
        # Beside the fits, a correction that starts at zero.
        initial = "zeros" if encoder.folds else keras.initializers.GlorotUniform(seed)
        outputs = 2 + NUM_FITS if encoder.folds else 1
        self.head = FlatDense(outputs, kernel_initializer=initial, name="head")
        self.encoder.build()
        self.norm.build((None, None, encoder.d_model))
        self.head.build((None, None, encoder.d_model))
        self.built = True

    @classmethod
    def from_settings(
        cls, config: EncoderConfig, *, normalise: bool = False, seed: int | None = None
    ) -> Reconstructor:
        """Builds a model with its initial weights from the knobs."""
        shape = to_dict(config)
        window_size = shape.pop("window_size")
        encoder = Encoder(**shape, seed=seed, name="encoder")
        normalise |= encoder.folds  # whose features are in units of the visible spread
        head_seed = None if seed is None else seed + 1
        return cls(encoder, window_size, normalise, seed=head_seed, name="astromer")

    def call(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
        **folded: tf.Tensor,
    ) -> tf.Tensor:
        """Arguments as in :meth:`Encoder.call`. Returns float32 [batch, steps], centred."""
        order, x = self.encoder.embed_ordered(
            times, magnitudes, visible, training=training, dropout_key=dropout_key, **folded
        )
        z = self.encoder.run(x, order, training=training, dropout_key=dropout_key)[-1]
        return order.restore(self.magnitudes(z.value(), x.fits))

    def predict_scored(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        first: tf.Tensor,
        dropout_key: tf.Tensor | None = None,
        dtype: tf.DType = tf.float32,
        **folded: tf.Tensor,
    ) -> tf.Tensor:
        """For training: the predictions of the steps from number ``first`` on.

        Args:
            times, magnitudes, visible: as in :meth:`Encoder.call`, visible steps first.
            first: int32, the first step that the loss scores in any window; 0 for public weights
                that block queries.
            dropout_key: as in :meth:`Encoder.call`.
            dtype: of the matrix products; everything between them is float32.
            folded: as in :meth:`Encoder.call`.

        Returns:
            float32 [batch, steps - first], centred.
        """
        order = self.encoder.order(visible, presorted=True)
        x = self.encoder.embed(
            times, magnitudes, visible, dtype, training=True, dropout_key=dropout_key, **folded
        )
        z = self.encoder.run(x, order, first, training=True, dropout_key=dropout_key)[-1]
        return self.magnitudes(z.value(), None if x.fits is None else x.fits[:, first:])

    def magnitudes(self, z: tf.Tensor, fits: tf.Tensor | None = None) -> tf.Tensor:
        """The head.

        Args:
            z: float [batch, steps, d_model], the encoder's output.
            fits: float32 [batch, steps, fits], of the same steps: a softmax over them and nothing
                weighs them, and a correction is added.

        Returns:
            float32 [batch, steps], centred.
        """
        read = self.head.read(self.norm.standardise(z))
        if fits is None:
            return tf.squeeze(read, axis=-1)
        shares = tf.nn.softmax(tf.cast(read[..., 1:], tf.float32))
        mixed = tf.reduce_sum(shares[..., :-1] * fits, axis=-1)
        return mixed + tf.cast(read[..., 0], tf.float32)
