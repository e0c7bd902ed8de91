"""The model as it is served: raw light curves in, embeddings out."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from astromer.encoder import Reconstructor
from astromer.records.codec import parse_light_curves
from astromer.serving.windowing import GraphWindows, cut_windows, usable_steps
from pipeline_config import LightCurveRules

STATUS_OK, STATUS_TOO_SHORT = 0, 1
_WINDOWS_PER_CHUNK = 64  # bounds the memory of attention, whatever the batch

Outputs = dict[str, tf.Tensor]

_CURVES = (
    tf.TensorSpec([None, None], tf.float64, "mjd"),
    tf.TensorSpec([None, None], tf.float32, "mag"),
    tf.TensorSpec([None, None], tf.float32, "errmag"),
    tf.TensorSpec([None], tf.int64, "length"),
)


class ServingModule(tf.Module):
    """Signatures of a pushed model. Light curves may be of any length, and in any order of time.

    ``serving_default(examples)``: string [batch], serialized SequenceExamples as in fold records.
    ``embed(mjd, mag, errmag, length)``: float64 and float32 [batch, steps], padded in any way to
    equal length; int64 [batch], real steps of each row.

    Both return, for each light curve:
        mean, max: float32 [batch, d_model], the encoder's output pooled over observed steps.
        num_observations, num_windows: int64 [batch].
        status: int32 [batch]; 0 = fine, 1 = fewer than 5 usable observations, embedded as zeros.

    ``reconstruct(mjd, mag, errmag, length, visible)``, with ``visible`` bool [batch, steps],
    hides the magnitudes (and errors) of the other steps and returns ``mag`` float32
    [batch, steps], the prediction of every usable step [mag], NaN elsewhere, and ``status``.

    Args:
        model: the trained model.
        rules: which observations are usable, and how many a light curve needs.
    """

    def __init__(self, model: Reconstructor, rules: LightCurveRules = LightCurveRules()):
        super().__init__(name="astromer")
        # The variables and not the Keras model: a SavedModel that tracks a Keras 3 model
        # loads in Python only ("Could not find variable" in every C++ loader).
        self.model_variables = [variable.value for variable in model.variables]
        encoder, window_size = model.encoder, model.window_size

        def windows_of(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor, visible: tf.Tensor
        ) -> GraphWindows:
            usable = usable_steps(mjd, mag, errmag, length, visible, rules)
            return cut_windows(mjd, mag, usable, visible, window_size, model.normalise)

        def embed(mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor) -> Outputs:
            windows = windows_of(mjd, mag, errmag, length, tf.ones_like(mag, tf.bool))
            pooled = _over_chunks(
                lambda *inputs: _pool_steps(encoder(*inputs), inputs[2]),
                windows,
                (tf.float32, tf.float32),
            )
            return _pool_windows(windows, pooled, rules.min_observations, encoder.d_model)

        @tf.function(input_signature=_CURVES)
        def embed_curves(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
        ) -> Outputs:
            return embed(mjd, mag, errmag, length)

        @tf.function(input_signature=(tf.TensorSpec([None], tf.string, "examples"),))
        def embed_examples(examples: tf.Tensor) -> Outputs:
            parsed = parse_light_curves(examples)
            # Rows of unequal lists are cut to the shortest: pairs beyond it do not exist.
            length = tf.minimum(
                parsed.mjd.row_lengths(),
                tf.minimum(parsed.mag.row_lengths(), parsed.errmag.row_lengths()),
            )
            width = tf.reduce_max(tf.pad(length, [[0, 1]]))
            mjd, mag, errmag = (
                ragged.to_tensor(shape=tf.stack([tf.constant(-1, width.dtype), width]))
                for ragged in (parsed.mjd, parsed.mag, parsed.errmag)
            )
            return embed(mjd, mag, errmag, tf.cast(length, tf.int64))

        @tf.function(input_signature=(*_CURVES, tf.TensorSpec([None, None], tf.bool, "visible")))
        def reconstruct(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor, visible: tf.Tensor
        ) -> Outputs:
            windows = windows_of(mjd, mag, errmag, length, visible)
            (predicted,) = _over_chunks(lambda *inputs: (model(*inputs),), windows, (tf.float32,))
            magnitude = windows.centre[:, None] + windows.scale[:, None] * predicted
            place = tf.stack(
                [
                    tf.broadcast_to(windows.row[:, None], tf.shape(windows.position)),
                    windows.position,
                ],
                axis=-1,
            )
            filled = tf.fill(tf.shape(mag), float("nan"))
            return {
                "mag": tf.tensor_scatter_nd_update(
                    filled,
                    tf.boolean_mask(place, windows.observed),
                    tf.boolean_mask(magnitude, windows.observed),
                ),
                "status": _status(windows.num_observations, rules.min_observations),
            }

        self.embed_curves = embed_curves
        self.embed_examples = embed_examples
        self.reconstruct = reconstruct

    @property
    def signatures(self) -> dict:
        """Signatures by name, for ``tf.saved_model.save``."""
        return {
            "serving_default": self.embed_examples,
            "embed": self.embed_curves,
            "reconstruct": self.reconstruct,
        }


def _over_chunks(
    function: Callable[..., tuple[tf.Tensor, ...]], windows: GraphWindows, dtypes: tuple
) -> tuple[tf.Tensor, ...]:
    """Applies the network to a bounded number of windows at a time."""
    count = tf.shape(windows.times)[0]
    chunks = tf.maximum((count + _WINDOWS_PER_CHUNK - 1) // _WINDOWS_PER_CHUNK, 1)
    size = tf.maximum((count + chunks - 1) // chunks, 1)

    def divided(values: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(values, [[0, chunks * size - count], [0, 0]])
        return tf.reshape(padded, [chunks, size, values.shape[1]])

    inputs = tuple(divided(v) for v in (windows.times, windows.magnitudes, windows.visible))
    results = tf.map_fn(
        lambda some: function(*some), inputs, fn_output_signature=dtypes, parallel_iterations=1
    )
    return tuple(
        tf.reshape(result, tf.concat([[chunks * size], tf.shape(result)[2:]], axis=0))[:count]
        for result in results
    )


def _pool_steps(sequence: tf.Tensor, observed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum and maximum over the observed steps of each window, [num_windows, d_model]."""
    real = observed[..., None]
    total = tf.reduce_sum(tf.where(real, sequence, 0.0), axis=1)
    return total, tf.reduce_max(tf.where(real, sequence, sequence.dtype.min), axis=1)


def _pool_windows(
    windows: GraphWindows, pooled: tuple[tf.Tensor, ...], min_observations: int, d_model: int
) -> Outputs:
    """Joins the windows of each light curve."""
    batch = tf.shape(windows.num_observations, tf.int64)[0]
    status = _status(windows.num_observations, min_observations)
    fine = (status == STATUS_OK)[:, None]
    total = tf.math.unsorted_segment_sum(pooled[0], windows.row, batch)
    highest = tf.math.unsorted_segment_max(pooled[1], windows.row, batch)
    count = tf.cast(tf.maximum(windows.num_observations, 1), tf.float32)[:, None]
    return {
        "mean": tf.ensure_shape(tf.where(fine, total / count, 0.0), [None, d_model]),
        "max": tf.ensure_shape(tf.where(fine, highest, 0.0), [None, d_model]),
        "num_observations": windows.num_observations,
        "num_windows": tf.math.unsorted_segment_sum(tf.ones_like(windows.row), windows.row, batch),
        "status": status,
    }


def _status(num_observations: tf.Tensor, min_observations: int) -> tf.Tensor:
    too_short = num_observations < min_observations
    return tf.where(too_short, STATUS_TOO_SHORT, STATUS_OK)
