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
from astromer.encoder.steps import Weights
from astromer.system.config import to_dict


class SpreadHead(keras.layers.Layer):
    """The standard deviation of a prediction, learned from its residual alone.

    The encoder does not learn from it: a Gaussian likelihood would neglect the points that are
    hard to predict (Seitzer et al. 2022, arXiv 2203.09168).

    Args:
        hidden: width of the hidden layer.
        seed: of the initial weights.
    """

    def __init__(self, hidden: int = 64, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        glorot = keras.initializers.GlorotUniform(None if seed is None else seed + 1)
        self.hidden = FlatDense(
            hidden, activation="gelu", kernel_initializer=glorot, name="spread_hidden"
        )
        self.logarithm = FlatDense(1, kernel_initializer="zeros", name="spread_logarithm")

    def build(self, input_shape: Any) -> None:
        self.hidden.build((*input_shape[:-1], input_shape[-1] + 2 * NUM_FITS + 1))
        self.logarithm.build((*input_shape[:-1], self.hidden.units))
        self.factor = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="spread_factor"
        )
        self.built = True

    def call(
        self, z: tf.Tensor, predicted: tf.Tensor, fits: tf.Tensor, scatter: tf.Tensor
    ) -> tf.Tensor:
        """Predicts standard deviations; fits that disagree are the best sign of a large one.

        Args:
            z: float32 [batch, steps, d_model], the normalised output of the encoder.
            predicted: float32 [batch, steps].
            fits: float32 [batch, steps, NUM_FITS].
            scatter: float32 [batch, NUM_FITS + 1], of the fits; see :class:`PhaseFeatures`.

        Returns:
            float32 [batch, steps], in units of the predictions.
        """
        apart = tf.math.log(tf.abs(fits - predicted[..., None]) + _LEAST_DISTANCE)
        scatter = tf.repeat(scatter[:, None], tf.shape(z)[1], axis=1)
        given = tf.stop_gradient(tf.concat([z, apart, scatter], axis=-1))
        logarithm = tf.squeeze(self.logarithm(self.hidden(given)), axis=-1)
        return self.factor * tf.exp(tf.clip_by_value(logarithm, -_MOST_LOGARITHM, _MOST_LOGARITHM))


_SHARPNESS = 8.0  # logits per factor of ten in scatter: what is best without a network
_LEAST_DISTANCE = 0.01  # of the visible spread
_MOST_LOGARITHM = 7.0  # a thousandth to a thousand times the visible spread


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
        if encoder.folds:
            sharpness = keras.initializers.Constant(_SHARPNESS)
            self.sharpness = self.add_weight(
                shape=(NUM_FITS + 1,), initializer=sharpness, name="sharpness"
            )
        self.spread = SpreadHead(seed=seed, name="spread") if encoder.folds else None
        if self.spread is not None:
            self.spread.build((None, None, encoder.d_model))
        self.built = True

    def folded_weights(self) -> dict[FlatDense, Weights]:
        """What the dense layers multiply by, with the gain and shift of the LayerNorm before them.

        float32; of the head and of all blocks, without layers that read the input embedding.
        Within :func:`~astromer.encoder.layers.use_weights` they take the place of the layers' own.
        """
        layers: list[tuple[FlatDense, FastLayerNorm | None]] = [(self.head, self.norm)]
        for block, before in zip(self.encoder.blocks, [None, *self.encoder.blocks]):
            layers += block.dense_layers(before)
        return {
            layer: layer.weights_read if norm is None else norm.fold(layer.weights_read)
            for layer, norm in layers
        }

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
        return order.restore(self.magnitudes(z.value(), x.fits, x.scatter))

    def with_spread(self, **inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Predictions and their standard deviations, float32 [batch, steps] each.

        Both are in units of the input magnitudes. An observation scatters about its prediction by
        the standard deviation: its error bar is unknown to the network and part of it.

        Args:
            inputs: as for :meth:`Encoder.call`; of a model that has a spread.
        """
        assert self.spread is not None
        order, x = self.encoder.embed_ordered(**inputs)
        z = self.encoder.run(x, order)[-1].value()
        predicted = self.magnitudes(z, x.fits, x.scatter)
        spread = self.spread(self.norm(tf.cast(z, tf.float32)), predicted, x.fits, x.scatter)
        return order.restore(predicted), order.restore(spread)

    def predict_scored(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        first: tf.Tensor,
        num_keys: tf.Tensor,
        dropout_key: tf.Tensor | None = None,
        dtype: tf.DType = tf.float32,
        training: bool = True,
        **folded: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """The predictions of the steps from number ``first`` on alone.

        Args:
            times, magnitudes, visible: as in :meth:`Encoder.call`, visible steps among the first.
            first: int32, the first step that the loss scores in any window; 0 for public weights
                that block queries.
            num_keys: int32, no step after so many is visible.
            dropout_key: as in :meth:`Encoder.call`.
            dtype: of the matrix products; everything between them is float32.
            training: whether to drop out.
            folded: as in :meth:`Encoder.call`.

        Returns:
            float32 [batch, steps - first], centred; and their standard deviations, where the model
            has any, through which no gradient reaches the encoder.
        """
        order = self.encoder.order(visible, num_keys)
        x = self.encoder.embed(
            times, magnitudes, visible, dtype, training, dropout_key=dropout_key, **folded
        )
        z = self.encoder.run(x, order, first, training, dropout_key)[-1]
        if x.fits is None or self.spread is None:
            return self.magnitudes(z.value()), None
        fits = x.fits[:, first:]
        predicted = self.magnitudes(z.value(), fits, x.scatter)
        normed = self.norm(tf.cast(z.value(), tf.float32))
        return predicted, self.spread(normed, predicted, fits, x.scatter)

    def magnitudes(
        self, z: tf.Tensor, fits: tf.Tensor | None = None, scatter: tf.Tensor | None = None
    ) -> tf.Tensor:
        """The head.

        Args:
            z: float [batch, steps, d_model], the encoder's output.
            fits: float32 [batch, steps, fits], of the same steps: a softmax over them and nothing
                weighs them, and a correction is added.
            scatter: float32 [batch, fits + 1], of the fits: before the network has learned
                anything, a share falls with a power of it.

        Returns:
            float32 [batch, steps], centred.
        """
        read = self.head.read(self.norm.standardise(z))
        if fits is None or scatter is None:
            return tf.squeeze(read, axis=-1)
        logits = tf.cast(read[..., 1:], tf.float32) - self.sharpness * scatter[:, None]
        shares = tf.nn.softmax(logits)
        mixed = tf.reduce_sum(shares[..., :-1] * fits, axis=-1)
        return mixed + tf.cast(read[..., 0], tf.float32)
