"""An encoder with a classification head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.dropout import CounterDropout
from astromer.encoder.pooling import CurveEncoder, pooled_shape, pooling_of
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.config import MLP, WITH_FEATURES, FinetuneConfig
from astromer.finetuning.forest_head import ForestHead
from astromer.finetuning.labelled_data import LabelMap
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods, find_periods
from astromer.serving.curve_features import NUM_FEATURES, features_of
from astromer.system.errors import ModelError

_LEAST_SPREAD = 1e-6
_FARTHEST = 5.0
_LEAST_SHARE = 0.1  # of the root mean square of the spreads in a layer


class Head(keras.layers.Layer):
    """Standardise, average the layers, then a small MLP on that and the features beside it.

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
        beside: number of features beside the embedding.
    """

    kind = MLP

    def __init__(
        self,
        num_classes: int,
        vectors: int,
        d_model: int,
        hidden: int = 64,
        dropout: float = 0.2,
        seed: int = 0,
        beside: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.beside = beside
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
        if self.beside:
            self.beside_centre = self.add_weight(
                shape=(self.beside,), initializer="zeros", trainable=False, name="beside_centre"
            )
            self.beside_spread = self.add_weight(
                shape=(self.beside,), initializer="ones", trainable=False, name="beside_spread"
            )
        width = self.d_model + self.beside
        for layer in self.dense:
            layer.build((None, width))
            width = layer.units
        self.built = True

    def standardise(self, features: np.ndarray, beside: np.ndarray | None = None) -> None:
        """Takes mean and spread from the arguments of :meth:`call` for a training draw."""
        features = features.astype(np.float64)
        spread = features.std(axis=0)
        # A vector that hardly varies says little, and would amplify each change of the encoder.
        typical = np.sqrt(np.mean(spread**2, axis=1, keepdims=True))
        spread = np.maximum(spread, _LEAST_SHARE * typical)
        self.centre.assign(features.mean(axis=0))
        self.spread.assign(np.where(spread > _LEAST_SPREAD, spread, 1.0))
        if self.beside and beside is not None:
            spread = beside.std(axis=0, dtype=np.float64)
            self.beside_centre.assign(beside.mean(axis=0, dtype=np.float64))
            self.beside_spread.assign(np.where(spread > _LEAST_SPREAD, spread, 1.0))

    def call(
        self,
        features: tf.Tensor,
        beside: tf.Tensor | None = None,
        training: bool = False,
        dropout_key: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Logits, float32 [num_curves, num_classes].

        Args:
            features: float32 [num_curves, K, d_model], the embedding.
            beside: float32 [num_curves, B], features; needed where B is not 0.
            training, dropout_key: see :class:`~astromer.encoder.dropout.CounterDropout`.
        """
        x = (features - self.centre) / self.spread
        weights = tf.nn.softmax(tf.convert_to_tensor(self.layer_logits))
        x = tf.einsum("nkd,k->nd", x, weights)
        if self.beside:
            more = (beside - self.beside_centre) / self.beside_spread
            # One wild value must not outvote the rest.
            x = tf.concat([x, tf.clip_by_value(more, -_FARTHEST, _FARTHEST)], axis=1)
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
        names = ("kind", "num_classes", "vectors", "d_model", "hidden", "dropout", "seed", "beside")
        return {name: getattr(self, name) for name in names}

    @property
    def named(self) -> dict[str, keras.Variable]:
        """The weights by names that do not depend on what Keras calls the layers."""
        names = ["centre", "spread", "layer_logits"]
        names += ["beside_centre", "beside_spread"] if self.beside else []
        named = {name: getattr(self, name) for name in names}
        for layer in self.dense:
            named[f"{layer.name}/kernel"], named[f"{layer.name}/bias"] = layer.kernel, layer.bias
        return named


AnyHead = Head | ForestHead


class Classifier:
    """Light curves of any length in, class probabilities out.

    Args:
        model: holds the encoder, its window size and normalisation.
        head: the classification head.
        pooling: of the embedding: "mean", "max" or "layers".
        label_map: the classes, in the order of the head's outputs.
    """

    def __init__(
        self, model: Reconstructor, head: AnyHead, pooling: str, label_map: LabelMap
    ) -> None:
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
        return named | {f"head/{name}": variable for name, variable in head.named.items()}

    def logits(self, curves: LightCurves, periods: CurvePeriods | None = None) -> np.ndarray:
        """float32 [num_curves, num_classes], with the current weights.

        Args:
            curves: the light curves.
            periods: found in all their observations, where something reads them; found here by
                default.
        """
        if periods is None:
            periods = self.find_periods(curves)
        vectors = self.encode(curves, periods)
        return self.head(vectors, self.beside(curves, periods)).numpy()

    def find_periods(self, curves: LightCurves, *, progress: bool = False) -> CurvePeriods | None:
        """The periods in all observations; None where neither encoder nor head reads them."""
        if not (self.head.beside or self.model.encoder.folds):
            return None
        return find_periods(curves, config=self.model.encoder.periodogram, progress=progress)

    def beside(self, curves: LightCurves, periods: CurvePeriods | None) -> np.ndarray:
        """float32 [num_curves, B], the features that the head reads beside the embedding."""
        if not self.head.beside or periods is None:
            return np.empty((len(curves), 0), np.float32)
        return features_of(curves, periods)


def num_beside(head: str, folds: bool) -> int:
    """Features beside the embedding that a head of this name reads.

    Those of an encoder that folds are part of its embedding.
    """
    return NUM_FEATURES if folds or head.endswith(WITH_FEATURES) else 0


def make_classifier(
    model: Reconstructor,
    config: FinetuneConfig,
    label_map: LabelMap,
    seed: int,
    head: str = MLP,
) -> Classifier:
    """A classifier of an encoder and an MLP with fresh weights, which may read features, too."""
    encoder = model.encoder
    pooling = pooling_of(config.head, encoder)
    mlp = Head(
        len(label_map),
        *pooled_shape(pooling, encoder),
        config.head_hidden,
        config.head_dropout,
        seed=seed,
        beside=num_beside(head, encoder.folds),
        name="head",
    )
    return Classifier(model, mlp, pooling, label_map)
