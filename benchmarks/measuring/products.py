"""What the network computes in matrix products, and how fast this machine does such products."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.measuring.turns import Way
from pipeline_config import EncoderConfig

_FFN = {"astromer_v1": 128, "astromer_v2": 256}
_BACKWARD = 2  # gradients of both factors of each product


def forward_flops(config: EncoderConfig) -> float:
    """Multiplications and additions of the matrix products of one full window, forward.

    Of the plain computation: all steps are keys, every window is padded. A way that needs fewer
    shows as a higher rate.
    """
    steps, width = config.window_size, config.d_model
    ffn = config.ffn_dim or _FFN[config.architecture]
    projections = 4 * 2 * steps * width**2
    attention = 2 * 2 * steps**2 * width
    feed_forward = 2 * 2 * steps * width * ffn
    return float(config.num_layers * (projections + attention + feed_forward))


def training_flops(config: EncoderConfig) -> float:
    """As :func:`forward_flops`, forward and backward."""
    return (1 + _BACKWARD) * forward_flops(config)


def matrix_product(config: EncoderConfig, windows: int = 64) -> Way:
    """A float32 product of the projections' shape; its work is counted in FLOPs."""
    rows, width = windows * config.window_size, config.d_model
    left = tf.constant(np.random.default_rng(0).normal(size=(rows, width)), tf.float32)
    right = tf.constant(np.random.default_rng(1).normal(size=(width, width)), tf.float32)
    product = tf.function(lambda: tf.linalg.matmul(left, right)[0, 0])

    def multiply() -> float:
        for _ in range(_REPEATS):
            product().numpy()
        return _REPEATS * 2.0 * rows * width**2

    return multiply


_REPEATS = 32
