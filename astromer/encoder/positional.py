"""Positional encoding of irregular observation times."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def positional_encoding(times: tf.Tensor, d_model: int, base: float) -> tf.Tensor:
    """Encodes times as in Astromer 1 (Donoso-Oliva et al. 2023, eq. 4, as implemented).

    a_i = t * base^(-2 i / d_model) for i = 0 .. d_model - 1; sin at even i, cos at odd i.

    Args:
        times: float32 [batch, steps], days since the window's mean.
        d_model: width.
        base: 10000 in the public code, whatever its settings say.

    Returns:
        float32 [batch, steps, d_model].
    """
    index = np.arange(d_model)
    rate = np.power(base, -2.0 * index / d_model).astype(np.float32)
    # cos(a) = sin(a + pi/2) would cost precision at large angles: two narrow products instead.
    sines = tf.sin(times[..., None] * rate[0::2])
    cosines = tf.cos(times[..., None] * rate[1::2])
    if d_model % 2:
        cosines = tf.pad(cosines, [[0, 0], [0, 0], [0, 1]])
    # Stacking along the last axis would copy number by number.
    pairs = tf.transpose(tf.stack([sines, cosines], axis=2), [0, 1, 3, 2])
    shape = tf.shape(times)
    encoded = tf.reshape(pairs, [shape[0], shape[1], -1])[..., :d_model]
    return tf.ensure_shape(encoded, [*times.shape, d_model])
