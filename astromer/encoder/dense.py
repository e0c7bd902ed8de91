"""A dense layer over the last axis."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.fused_operations import fused
from astromer.encoder.steps import Steps


class FlatDense(keras.layers.Dense):
    """keras.layers.Dense through :func:`~astromer.encoder.matrix_products.project`."""

    def call(self, x: tf.Tensor, training: Any = None) -> tf.Tensor:
        """x: float [..., width]. Returns float [..., units]."""
        return self.read(Steps(x))

    def read(self, x: Steps) -> tf.Tensor:
        """float [batch, steps, units], of the type of ``x``."""
        y = x.project(tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias))
        return y if self.activation is None else fused(self.activation, y.dtype)(y)
