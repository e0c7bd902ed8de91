"""The encoder on windows that the caller cut and centred: tensors in, tensors out.

No strings, no ragged rows and no sorting, so that loaders without TensorFlow's parsing take it.
Names, shapes and the sense of ``mask_in`` are those of AstroMer models in the public
``light-curve`` package (``light_curve.embed``).
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from astromer.encoder.reconstructor import Reconstructor
from astromer.serving.limits import Limits
from astromer.serving.observations import after
from astromer.serving.tracing import traced


def window_signature(
    model: Reconstructor,
    encode: Callable[..., tf.Tensor] | None = None,
    limits: Limits | None = None,
) -> tf.types.experimental.PolymorphicFunction:
    """``encode_windows(input, times, mask_in)`` of a model.

    Inputs, each float32 [batch, window_size, 1]:
        input: magnitudes less their mean over the valid steps [mag].
        times: times less their mean over the valid steps [days].
        mask_in: 1 at valid (observed) steps, 0 at padding, whose values are not read.

    Outputs:
        mean, max: float32 [batch, d_model], over the valid steps; zeros where there is none.
        sequence: float32 [batch, window_size, d_model], zeros at padding.

    A model that was trained on normalised magnitudes divides by their spread itself.

    Args:
        model: the trained model.
        encode: its encoder as other signatures share it; the encoder itself by default.
        limits: how many windows it takes; None for a file that its user runs.
    """
    encoder = encode or model.encoder
    shape = [None, model.window_size, 1]

    @traced(*(tf.TensorSpec(shape, tf.float32, name) for name in ("input", "times", "mask_in")))
    def encode_windows(
        input: tf.Tensor, times: tf.Tensor, mask_in: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        if limits is not None:
            check = limits.windows(tf.shape(input, tf.int64)[0])
            input, times, mask_in = after([check], input, times, mask_in)
        observed = mask_in[..., 0] > 0.5
        magnitudes = tf.where(observed, input[..., 0], 0.0)
        if model.normalise:
            magnitudes = magnitudes / _spread(magnitudes, observed)
        sequence = encoder(tf.where(observed, times[..., 0], 0.0), magnitudes, observed)
        sequence.set_shape([None, model.window_size, None])
        return pooled(sequence, observed)

    return encode_windows


def pooled(sequence: tf.Tensor, observed: tf.Tensor) -> dict[str, tf.Tensor]:
    """The three outputs, from float32 [batch, steps, d_model] and bool [batch, steps]."""
    real = observed[..., None]
    sequence = tf.where(real, sequence, 0.0)
    count = tf.reduce_sum(tf.cast(real, sequence.dtype), axis=1)
    highest = tf.reduce_max(tf.where(real, sequence, sequence.dtype.min), axis=1)
    return {
        "mean": tf.reduce_sum(sequence, axis=1) / tf.maximum(count, 1.0),
        "max": tf.where(count > 0, highest, 0.0),
        "sequence": sequence,
    }


def _spread(magnitudes: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """float32 [batch, 1], standard deviation of centred magnitudes, 1 where they are all equal."""
    count = tf.reduce_sum(tf.cast(observed, magnitudes.dtype), axis=1, keepdims=True)
    variance = tf.reduce_sum(magnitudes**2, axis=1, keepdims=True) / tf.maximum(count, 1.0)
    return tf.where(variance > 0, tf.sqrt(variance), 1.0)
