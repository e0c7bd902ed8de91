"""The signatures of a served model: raw light curves in, embeddings and magnitudes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from astromer.encoder.phase_features import PHASE_INPUTS
from astromer.encoder.reconstructor import Reconstructor
from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.serving.graph_input import (
    OBSERVATIONS,
    PADDED,
    ROWS,
    SHOWN,
    GraphObservations,
    Limits,
    after,
    as_rows,
    from_flat,
    from_padded,
    from_ragged,
    parse_examples,
    traced,
)
from astromer.serving.network import KNOWN, Outputs, WindowNetwork
from astromer.serving.windowing import draw_hidden

WINDOW_ARGUMENTS = ("input", "times", "mask_in")
"""Of ``encode_windows``, as in the public ``light-curve`` package."""
_EXAMPLES = tf.TensorSpec([None], tf.string, "examples")
_FLAT = tuple(tf.TensorSpec([None], spec.dtype, spec.name) for spec in PADDED)
_VISIBLE = tf.TensorSpec([None, None], tf.bool, "visible")
_DRAW = (tf.TensorSpec([], tf.int64, "seed"), tf.TensorSpec([], tf.float32, "probed"))


class ServingModule(tf.Module):
    """Signatures of a pushed model. Light curves may have any length and any order of times.

    ``serving_default(examples)``: string [batch], serialized SequenceExamples as in fold records.
    ``embed_pooled(mjd, mag, errmag, length)``: float64 and float32 [batch, steps], padded in any
    way to equal length; int64 [batch], real steps of each row.
    ``embed_ragged(mjd, mag, errmag, length)``: float64 and float32 [num_observations], light
    curve after light curve; int64 [batch], observations of each.

    They return, for each light curve:
        mean, max: float32 [batch, d_model], the encoder's output pooled over observed steps.
        num_observations, num_windows: int64 [batch], of usable observations.
        status: int32 [batch], see :mod:`astromer.serving.graph_input`; the embedding is zeros
            where it is not 0.
    and, where the model folds:
        embedding: float32 [batch, d_model + NUM_FEATURES], ``mean`` and the features of
            :func:`astromer.serving.curve_features.curve_features`.
        periods: float64 [batch, 4], days: that of the best harmonic series, then those of the
            highest peaks of the periodogram; NaN where there is none.
        powers: float64 [batch, 3], of these peaks, 0 to 1.
        false_alarm: float64 [batch], probability that noise has a peak as high as the highest.
    ``embed_at_periods(mjd, mag, errmag, length, period)`` is ``embed_ragged`` for a model that
    folds, with float64 [batch], a known period of each light curve [days]; 0 or NaN searches it.

    ``embed`` is ``embed_pooled`` with the further output ``sequence``: float32 [batch, steps,
    d_model], the encoder's output at each step of the input, zeros at padding and unusable steps.

    ``reconstruct(mjd, mag, errmag, length, visible)``, with ``visible`` bool [batch, steps],
    hides the magnitudes (and errors) of the other steps. ``reconstruct_drawn(mjd, mag, errmag,
    length, seed, probed)`` draws the hidden ones with
    :func:`~astromer.serving.windowing.draw_hidden`. Both return
        mag: float32 [batch, steps], the prediction of every usable step [mag]; NaN elsewhere, in
            windows where nothing is visible, and where status is not 0.
        hidden: bool [batch, steps], usable steps whose magnitude the network did not see.
        sigma: float32 [batch, steps], of a model that predicts it: the standard deviation of an
            observation about the prediction [mag]; NaN where that is.
        status: int32 [batch].

    Args:
        model: the trained model.
        rules: which observations are usable, and how many a light curve needs.
        serving: the limits of light curves and requests; a signature raises
            tf.errors.InvalidArgumentError for a request over one of them.
    """

    def __init__(
        self,
        model: Reconstructor,
        rules: LightCurveRules = LightCurveRules(),
        serving: ServingConfig = ServingConfig(),
    ):
        super().__init__(name="astromer")
        # Track the variables, not the Keras model: a SavedModel that tracks a Keras 3 model
        # loads only in Python (C++ loaders: "Could not find variable").
        self.model_variables = [variable.value for variable in model.variables]
        network = WindowNetwork(model, rules, serving)
        limits = network.limits

        # Traced once for all signatures.
        padded, rows = traced(*PADDED)(from_padded), traced(*ROWS)(from_ragged)

        @traced(OBSERVATIONS, KNOWN)
        def folded(observations: GraphObservations, period: tf.Tensor) -> Outputs:
            return network.embed(observations, period)

        def pooled(observations: GraphObservations) -> Outputs:
            return folded(observations, tf.zeros_like(observations.problem, tf.float64))

        @traced(OBSERVATIONS, SHOWN, tf.TensorSpec([], tf.int64))
        def predicted(
            observations: GraphObservations, shown: tf.Tensor, steps: tf.Tensor
        ) -> Outputs:
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

        @traced(*_FLAT, KNOWN)
        def embed_at_periods(
            mjd: tf.Tensor,
            mag: tf.Tensor,
            errmag: tf.Tensor,
            length: tf.Tensor,
            period: tf.Tensor,
        ) -> Outputs:
            rule = "period must have one value for each light curve"
            check = tf.debugging.assert_equal(tf.size(period), tf.size(length), rule)
            (period,) = after([check], period)
            return folded(from_flat(mjd, mag, errmag, length), period)

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
            shown = tf.gather_nd(visible, observations.input_index)
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
        self.embed_at_periods = embed_at_periods if model.encoder.folds else None
        self.reconstruct = reconstruct
        self.reconstruct_drawn = reconstruct_drawn
        self.encode_windows = window_signature(model, network.encode, limits)

    def _trackable_children(self, save_type: str = "checkpoint", **kwargs: Any) -> dict[str, Any]:
        """Adds ``embed(mjd, mag, errmag)`` on RaggedTensors to what is saved.

        It is traced only now, because saving traces again what was traced before.
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
            **({"embed_at_periods": self.embed_at_periods} if self.embed_at_periods else {}),
        }


def window_signature(
    model: Reconstructor,
    encode: Callable[..., tf.Tensor] | None = None,
    limits: Limits | None = None,
) -> tf.types.experimental.PolymorphicFunction:
    """``encode_windows(input, times, mask_in)``: the encoder on windows that the caller prepared.

    It uses no strings, ragged tensors or sorting, so that loaders without TensorFlow's parsing
    accept it. Names, shapes and the meaning of ``mask_in`` are those of AstroMer models in the
    public ``light-curve`` package (``light_curve.embed``).

    Inputs, each float32 [batch, window_size, 1]:
        input: magnitudes less their mean over the valid steps [mag].
        times: times less their mean over the valid steps [days].
        mask_in: 1 at valid (observed) steps, 0 at padding, whose values are not read.

    Outputs:
        mean, max: float32 [batch, d_model], over the valid steps; zeros where there is none.
        sequence: float32 [batch, window_size, d_model], zeros at padding.

    A model that was trained on normalised magnitudes divides ``input`` by its spread. One that
    folds has the further inputs of :func:`astromer.encoder.folding.fold`, under their names; the
    caller finds the periods.

    Args:
        model: the trained model.
        encode: traced encoder that other signatures share; by default the model's encoder.
        limits: limits of a served model; None for a file that its user runs.
    """
    encoder = encode or (lambda inputs: model.encoder(**inputs))
    size = model.window_size
    windows = [tf.TensorSpec([None, size, 1], tf.float32, name) for name in WINDOW_ARGUMENTS]

    def answer(
        input: tf.Tensor, times: tf.Tensor, mask_in: tf.Tensor, **folded: tf.Tensor
    ) -> Outputs:
        if limits is not None:
            check = limits.windows(tf.shape(input, tf.int64)[0])
            input, times, mask_in = after([check], input, times, mask_in)
        observed = mask_in[..., 0] > 0.5
        magnitudes = tf.where(observed, input[..., 0], 0.0)
        if model.normalise:
            magnitudes = magnitudes / _spread(magnitudes, observed)
        inputs = {
            "times": tf.where(observed, times[..., 0], 0.0),
            "magnitudes": magnitudes,
            "visible": observed,
            **folded,
        }
        sequence = encoder(inputs)
        sequence.set_shape([None, size, None])
        real = observed[..., None]
        sequence = tf.where(real, sequence, 0.0)
        count = tf.reduce_sum(tf.cast(real, sequence.dtype), axis=1)
        highest = tf.reduce_max(tf.where(real, sequence, sequence.dtype.min), axis=1)
        return {
            "mean": tf.reduce_sum(sequence, axis=1) / tf.maximum(count, 1.0),
            "max": tf.where(count > 0, highest, 0.0),
            "sequence": sequence,
        }

    if not model.encoder.folds:

        @traced(*windows)
        def encode_windows(input: tf.Tensor, times: tf.Tensor, mask_in: tf.Tensor) -> Outputs:
            return answer(input, times, mask_in)

        return encode_windows

    folded = [
        tf.TensorSpec([None, spec.shape[1] or size, *spec.shape[2:]], spec.dtype, name)
        for name, spec in PHASE_INPUTS.items()
    ]

    @traced(*windows, *folded)
    def encode_folded_windows(
        input: tf.Tensor,
        times: tf.Tensor,
        mask_in: tf.Tensor,
        errmag: tf.Tensor,
        phases: tf.Tensor,
        series: tf.Tensor,
        search: tf.Tensor,
    ) -> Outputs:
        found = {"errmag": errmag, "phases": phases, "series": series, "search": search}
        return answer(input, times, mask_in, **found)

    return encode_folded_windows


def _spread(magnitudes: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """float32 [batch, 1], standard deviation of centred magnitudes, 1 where they are all equal."""
    count = tf.reduce_sum(tf.cast(observed, magnitudes.dtype), axis=1, keepdims=True)
    variance = tf.reduce_sum(magnitudes**2, axis=1, keepdims=True) / tf.maximum(count, 1.0)
    return tf.where(variance > 0, tf.sqrt(variance), 1.0)
