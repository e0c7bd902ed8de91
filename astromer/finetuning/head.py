"""The classification head."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.dropout import CounterDropout

_LEAST_SPREAD = 1e-6
_LEAST_SHARE = 0.1  # of the root mean square of the spreads in a layer


class Head(keras.layers.Layer):
    """Standardise, average the layers, then a small MLP.

    Every vector is standardised with the mean and spread of the training draw: the layers of an
    encoder differ in scale, and a mean over many steps hardly varies between light curves. The
    layers are averaged under learned softmax weights, equal at first, as in Astromer 2.

    Args:
        num_classes: outputs.
        vectors: vectors of each light curve; see :func:`~astromer.encoder.pooling.num_vectors`.
        d_model: their width.
        hidden: width of the hidden layer; 0 = none.
        dropout: dropout rate before each dense layer.
        seed: seed of the initial weights.
    """

    def __init__(
        self,
        num_classes: int,
        vectors: int,
        d_model: int,
        hidden: int = 64,
        dropout: float = 0.2,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.vectors = vectors
        self.d_model = d_model
        self.hidden = hidden
        self.dropout = dropout
        self.seed = seed
        widths = [*([hidden] if hidden else []), num_classes]
        self.drops = [CounterDropout(dropout, salt=n, name=f"drop_{n}") for n in range(len(widths))]
        self.dense = [
            keras.layers.Dense(
                width,
                activation="relu" if n < len(widths) - 1 else None,
                kernel_initializer=keras.initializers.GlorotUniform(seed=seed + n),
                name=f"dense_{n}",
            )
            for n, width in enumerate(widths)
        ]
        self.build()

    def build(self, input_shape: Any = None) -> None:
        shape = (self.vectors, self.d_model)
        self.centre = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="centre"
        )
        self.spread = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="spread"
        )
        self.layer_logits = self.add_weight(
            shape=(self.vectors,),
            initializer="zeros",
            trainable=self.vectors > 1,
            name="layer_logits",
        )
        width = self.d_model
        for layer in self.dense:
            layer.build((None, width))
            width = layer.units
        self.built = True

    def standardise(self, features: np.ndarray) -> None:
        """Takes mean and spread from the features of a training draw, [num_curves, K, d_model]."""
        features = features.astype(np.float64)
        spread = features.std(axis=0)
        # What hardly varies says little, and would blow up every change of a trainable encoder.
        typical = np.sqrt(np.mean(spread**2, axis=1, keepdims=True))
        spread = np.maximum(spread, _LEAST_SHARE * typical)
        self.centre.assign(features.mean(axis=0))
        self.spread.assign(np.where(spread > _LEAST_SPREAD, spread, 1.0))

    def call(
        self,
        features: tf.Tensor,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """features: float32 [num_curves, K, d_model]. Returns logits [num_curves, num_classes]."""
        x = (features - self.centre) / self.spread
        weights = tf.nn.softmax(tf.convert_to_tensor(self.layer_logits))
        x = tf.einsum("nkd,k->nd", x, weights)
        for drop, dense in zip(self.drops, self.dense, strict=True):
            x = dense(drop(x, training=training, dropout_key=dropout_key))
        return x

    @property
    def layer_weights(self) -> np.ndarray:
        """float32 [K], how much each layer counts; the input embedding is the first."""
        logits = np.asarray(self.layer_logits)
        exponential = np.exp(logits - logits.max())
        return exponential / exponential.sum()

    def get_config(self) -> dict[str, Any]:
        names = ("num_classes", "vectors", "d_model", "hidden", "dropout", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
