"""The model as it is served: raw light curves in, embeddings out."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from astromer.encoder.reconstructor import Reconstructor
from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.serving.drawing import draw_hidden
from astromer.serving.network import WindowNetwork
from astromer.serving.observations import (
    OBSERVATIONS,
    PADDED,
    ROWS,
    SHOWN,
    Observations,
    after,
    as_rows,
    from_flat,
    from_padded,
    from_ragged,
    parse_examples,
)
from astromer.serving.pooling import Outputs
from astromer.serving.tracing import traced
from astromer.serving.window_signature import window_signature

_EXAMPLES = tf.TensorSpec([None], tf.string, "examples")
_FLAT = (
    tf.TensorSpec([None], tf.float64, "mjd"),
    tf.TensorSpec([None], tf.float32, "mag"),
    tf.TensorSpec([None], tf.float32, "errmag"),
    tf.TensorSpec([None], tf.int64, "length"),
)
_VISIBLE = tf.TensorSpec([None, None], tf.bool, "visible")
_DRAW = (tf.TensorSpec([], tf.int64, "seed"), tf.TensorSpec([], tf.float32, "probed"))


class ServingModule(tf.Module):
    """Signatures of a pushed model. Light curves may be of any length, and in any order of time.

    ``serving_default(examples)``: string [batch], serialized SequenceExamples as in fold records.
    ``embed_pooled(mjd, mag, errmag, length)``: float64 and float32 [batch, steps], padded in any
    way to equal length; int64 [batch], real steps of each row.
    ``embed_ragged(mjd, mag, errmag, length)``: float64 and float32 [num_observations], light
    curve after light curve; int64 [batch], observations of each.

    They return, for each light curve:
        mean, max: float32 [batch, d_model], the encoder's output pooled over observed steps.
        num_observations, num_windows: int64 [batch], of usable observations.
        status: int32 [batch], see :mod:`astromer.serving.status`; where it is not 0, the
            embedding is zeros.

    ``embed`` is ``embed_pooled`` that returns ``sequence``, too: float32 [batch, steps, d_model],
    the encoder's output at each step of the input, zeros at padding and unusable steps.

    ``reconstruct(mjd, mag, errmag, length, visible)``, with ``visible`` bool [batch, steps],
    hides the magnitudes (and errors) of the other steps. ``reconstruct_drawn(mjd, mag, errmag,
    length, seed, probed)`` draws the hidden ones, see :mod:`astromer.serving.drawing`. Both return
        mag: float32 [batch, steps], the prediction of every usable step [mag]; NaN elsewhere, in
            windows where nothing is visible, and where status is not 0.
        hidden: bool [batch, steps], usable steps whose magnitude the network did not see.
        status: int32 [batch].

    Args:
        model: the trained model.
        rules: which observations are usable, and how many a light curve needs.
        serving: the limits of light curves and requests; each signature raises
            tf.errors.InvalidArgumentError over them, see :mod:`astromer.serving.limits`.
    """

    def __init__(
        self,
        model: Reconstructor,
        rules: LightCurveRules = LightCurveRules(),
        serving: ServingConfig = ServingConfig(),
    ):
        super().__init__(name="astromer")
        # The variables and not the Keras model: a SavedModel that tracks a Keras 3 model
        # loads in Python only ("Could not find variable" in every C++ loader).
        self.model_variables = [variable.value for variable in model.variables]
        network = WindowNetwork(model, rules, serving)
        limits = network.limits

        # Traced once and called by many signatures.
        padded, rows = traced(*PADDED)(from_padded), traced(*ROWS)(from_ragged)

        @traced(OBSERVATIONS)
        def pooled(observations: Observations) -> Outputs:
            return network.embed(observations)

        @traced(OBSERVATIONS, SHOWN, tf.TensorSpec([], tf.int64))
        def predicted(observations: Observations, shown: tf.Tensor, steps: tf.Tensor) -> Outputs:
            return network.reconstruct(observations, shown, steps)

        @traced(_EXAMPLES)
        def embed_examples(examples: tf.Tensor) -> Outputs:
            check = limits.batch(tf.size(examples, tf.int64))
            curves, readable = parse_examples(*after([check], examples))
            return pooled(rows(*curves, readable))

        @traced(*PADDED)
        def embed_pooled(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
        ) -> Outputs:
            return pooled(padded(mjd, mag, errmag, length))

        @traced(*_FLAT)
        def embed_ragged(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
        ) -> Outputs:
            return pooled(from_flat(mjd, mag, errmag, length))

        @traced(*PADDED)
        def embed_curves(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
        ) -> Outputs:
            shape = tf.shape(mjd, tf.int64)
            (steps,) = after([limits.sequence(shape)], shape[1])
            return network.embed_steps(padded(mjd, mag, errmag, length), steps)

        @traced(*PADDED, _VISIBLE)
        def reconstruct(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor, visible: tf.Tensor
        ) -> Outputs:
            shape = tf.shape(mjd, tf.int64)
            check = tf.debugging.assert_equal(
                tf.shape(visible, tf.int64), shape, "visible must have the shape of mjd"
            )
            visible, steps = after([check, limits.padded(shape)], visible, shape[1])
            observations = padded(mjd, mag, errmag, length)
            shown = tf.gather_nd(visible, observations.place)
            return predicted(*network.usable(observations, shown), steps)

        @traced(*PADDED, *_DRAW)
        def reconstruct_drawn(
            mjd: tf.Tensor,
            mag: tf.Tensor,
            errmag: tf.Tensor,
            length: tf.Tensor,
            seed: tf.Tensor,
            probed: tf.Tensor,
        ) -> Outputs:
            shape = tf.shape(mjd, tf.int64)
            check = tf.debugging.assert_equal(
                (probed >= 0) & (probed <= 1), True, "probed must be in [0, 1]"
            )
            probed, steps = after([check, limits.padded(shape)], probed, shape[1])
            observations, _ = network.usable(padded(mjd, mag, errmag, length))
            hidden = draw_hidden(observations, seed, probed, model.window_size)
            return predicted(observations, ~hidden, steps)

        @tf.function(autograph=False)
        def embed(mjd: tf.RaggedTensor, mag: tf.RaggedTensor, errmag: tf.RaggedTensor) -> Outputs:
            curves = as_rows(mjd, mag, errmag)
            return pooled(rows(*curves, tf.fill([mjd.nrows()], True)))

        self.embed = embed
        self.embed_examples = embed_examples
        self.embed_pooled = embed_pooled
        self.embed_ragged = embed_ragged
        self.embed_curves = embed_curves
        self.reconstruct = reconstruct
        self.reconstruct_drawn = reconstruct_drawn
        self.encode_windows = window_signature(model, network.encode, limits)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        """What is saved: ``embed(mjd, mag, errmag)`` on RaggedTensors is to be a part of it.

        It is traced here, when saving has begun: what was traced before is traced anew then.
        """
        if save_type == "savedmodel":
            times = tf.RaggedTensorSpec([None, None], tf.float64, ragged_rank=1)
            for dtype in (tf.float32, tf.float64):
                values = tf.RaggedTensorSpec([None, None], dtype, ragged_rank=1)
                self.embed.get_concrete_function(times, values, values)
        return super()._trackable_children(save_type, **kwargs)

    @property
    def signatures(self) -> dict:
        """Signatures by name, for ``tf.saved_model.save``."""
        return {
            "serving_default": self.embed_examples,
            "embed": self.embed_curves,
            "embed_pooled": self.embed_pooled,
            "embed_ragged": self.embed_ragged,
            "reconstruct": self.reconstruct,
            "reconstruct_drawn": self.reconstruct_drawn,
            "encode_windows": self.encode_windows,
        }
