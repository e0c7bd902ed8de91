"""The encoder of a pushed model as a Keras layer: raw light curves in, pooled vectors out."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.reconstructor import Reconstructor
from astromer.records.config import LightCurveRules
from astromer.serving.windowing import cut_windows, usable_steps


class TrainableEncoder(keras.layers.Layer):
    """What the signature ``embed_pooled`` computes as ``mean``, with weights that train.

    All windows of a batch go through the network at once, as gradients need them.

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
        shown = tf.ones_like(mag, tf.bool)
        usable = usable_steps(mjd, mag, errmag, inputs["length"], shown, self.rules)
        windows = cut_windows(mjd, mag, usable, shown, self.window_size, self.normalise)
        sequence = self.encoder(
            windows.times, windows.magnitudes, windows.visible, training=training
        )
        total = tf.reduce_sum(tf.where(windows.observed[..., None], sequence, 0.0), axis=1)
        batch = tf.shape(mjd, tf.int64)[0]
        summed = tf.math.unsorted_segment_sum(total, windows.row, batch)
        count = tf.cast(tf.maximum(windows.num_observations, 1), tf.float32)
        return tf.ensure_shape(summed / count[:, None], [None, self.encoder.d_model])

    def compute_output_shape(self, input_shape: dict[str, Any]) -> tuple[Any, int]:
        return (input_shape["mjd"][0], self.encoder.d_model)
