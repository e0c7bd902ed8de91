"""The encoder of a pushed model as a Keras layer: raw light curves in, pooled vectors out."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.pooling import MEAN, pool_steps, pool_windows
from astromer.encoder.reconstructor import Reconstructor
from astromer.periodogram.graph_periods import find_periods
from astromer.records.config import LightCurveRules
from astromer.serving.graph_input import from_padded
from astromer.serving.windowing import cut_observations, usable_values


class TrainableEncoder(keras.layers.Layer):
    """Computes the output ``mean`` of the signature ``embed_pooled``, with trainable weights.

    The network gets all windows of a batch at once, as gradients need them.

    Args:
        model: the model whose encoder is taken; see :func:`astromer.serving.export.load_model`.
        rules: which observations are usable.
    """

    def __init__(self, model: Reconstructor, rules: LightCurveRules = LightCurveRules()) -> None:
        # No autocast: a float32 MJD keeps 5.6 minutes only.
        super().__init__(name="pushed_encoder", autocast=False)
        self.encoder = model.encoder
        self.window_size, self.normalise = model.window_size, model.normalise
        self.rules = rules
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Embeds light curves.

        Args:
            inputs: ``mjd`` float64 [batch, steps], days; ``mag`` and ``errmag`` float32 [batch,
                steps]; ``length`` int64 [batch], real steps of each row.

        Returns:
            float32 [batch, d_model], mean over the usable steps; zeros where there is none.
        """
        mjd, mag, errmag = (inputs[name] for name in ("mjd", "mag", "errmag"))
        given = from_padded(mjd, mag, errmag, tf.cast(inputs["length"], tf.int64))
        shown = tf.ones_like(given.mag, tf.bool)
        usable = usable_values(given.mjd, given.mag, given.errmag, shown, self.rules)
        observations, shown = given.only(usable), tf.boolean_mask(shown, usable)
        search = find_periods if self.encoder.folds else None
        windows = cut_observations(observations, shown, self.window_size, self.normalise, search)
        sequence = self.encoder(**windows.inputs, training=training)
        total = pool_steps([sequence], windows.observed, MEAN)
        mean = pool_windows(total, windows.row, windows.num_observations, MEAN)[:, 0]
        return tf.ensure_shape(mean, [None, self.encoder.d_model])

    def compute_output_shape(self, input_shape: dict[str, Any]) -> tuple[Any, int]:
        return (input_shape["mjd"][0], self.encoder.d_model)
