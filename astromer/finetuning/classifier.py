"""An encoder with a classification head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.dropout import CounterDropout
from astromer.encoder.pooling import CurveEncoder, pooled_shape
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.labelled_data import LabelMap
from astromer.light_curves import LightCurves
from astromer.system.errors import ModelError

_LEAST_SPREAD = 1e-6
_LEAST_SHARE = 0.1  # of the root mean square of the spreads in a layer


class Head(keras.layers.Layer):
    """Standardise, average the layers, then a small MLP.

    Every vector is standardised with the mean and spread of the training draw: the layers of an
    encoder differ in scale, and a mean over many steps hardly varies between light curves. The
    layers are averaged under learned softmax weights, equal at first, as in Astromer 2.

    Args:
        num_classes: outputs.
        vectors: vectors of each light curve; see :func:`~astromer.encoder.pooling.pooled_shape`.
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
        # A vector that hardly varies says little, and would amplify each change of the encoder.
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

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that make another head of the same shape."""
        names = ("num_classes", "vectors", "d_model", "hidden", "dropout", "seed")
        return {name: getattr(self, name) for name in names}


class Classifier:
    """Light curves of any length in, class probabilities out.

    Args:
        model: holds the encoder, its window size and normalisation.
        head: the classification head.
        pooling: what the head reads: "mean", "max", "layers" or "moments".
        label_map: the classes, in the order of the head's outputs.
    """

    def __init__(self, model: Reconstructor, head: Head, pooling: str, label_map: LabelMap) -> None:
        self.model = model
        self.head = head
        self.pooling = pooling
        self.label_map = label_map
        self.encode = CurveEncoder(model, pooling)

    @property
    def variables(self) -> list[keras.Variable]:
        """The weights of encoder and head; the reconstruction head is not among them."""
        return [*self.model.encoder.variables, *self.head.variables]

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """Those that training changes where the encoder is trainable."""
        return [*self.model.encoder.trainable_variables, *self.head.trainable_variables]

    def get_weights(self) -> dict[str, np.ndarray]:
        """A copy of every weight of encoder and head.

        The names do not depend on what Keras calls the layers.
        """
        return {name: np.array(variable) for name, variable in self._named().items()}

    def set_weights(self, weights: Mapping[str, np.ndarray], source: str) -> None:
        """Sets every weight.

        Args:
            weights: from :meth:`get_weights` of a classifier of the same shape.
            source: where they were read from, for the message.

        Raises:
            ModelError: one is missing, not expected or of another shape.
        """
        variables = self._named()
        expected = {name: tuple(variable.shape) for name, variable in variables.items()}
        received = {name: array.shape for name, array in weights.items()}
        if expected != received:
            wrong = sorted({name for name, _ in set(expected.items()) ^ set(received.items())})
            raise ModelError(
                f"Weights must fit the config. In {source} these differ: {', '.join(wrong[:8])}. "
                "Fine-tune again."
            )
        for name, variable in variables.items():
            variable.assign(weights[name])

    def _named(self) -> dict[str, keras.Variable]:
        encoder, head = self.model.encoder, self.head
        named = {f"encoder/{v.path.split(f'{encoder.name}/')[-1]}": v for v in encoder.variables}
        for name in ("centre", "spread", "layer_logits"):
            named[f"head/{name}"] = getattr(head, name)
        for layer in head.dense:
            named[f"head/{layer.name}/kernel"] = layer.kernel
            named[f"head/{layer.name}/bias"] = layer.bias
        return named

    def logits(self, curves: LightCurves, *, desc: str = "", progress: bool = False) -> np.ndarray:
        """float32 [num_curves, num_classes], with the current weights."""
        return self.head(self.encode(curves, desc=desc, progress=progress)).numpy()


def make_classifier(
    model: Reconstructor, config: FinetuneConfig, label_map: LabelMap, seed: int
) -> Classifier:
    """A classifier of an encoder and a head with fresh weights."""
    encoder = model.encoder
    head = Head(
        len(label_map),
        *pooled_shape(config.head, encoder),
        config.head_hidden,
        config.head_dropout,
        seed=seed,
        name="head",
    )
    return Classifier(model, head, config.head, label_map)
