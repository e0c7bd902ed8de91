"""The steps of windows between two layers, in the form that the next products read fastest."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf


def project(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """x kernel + bias, float [..., units] of the type of ``x``, in one matrix product.

    A product of [batch, steps, width] with a broadcast kernel would make the kernel's gradient
    for every window first and then sum it.

    Args:
        x: float [..., width].
        kernel: float [width, units].
        bias: float [units].
    """
    kernel, bias = tf.cast(kernel, x.dtype), tf.cast(bias, x.dtype)
    flat = tf.reshape(x, [-1, x.shape[-1]])
    y = tf.nn.bias_add(tf.matmul(flat, kernel), bias)
    return tf.reshape(y, tf.concat([tf.shape(x)[:-1], [kernel.shape[-1]]], axis=0))


class Weights(NamedTuple):
    """Of a dense layer.

    Attributes:
        kernel: float [width, units].
        bias: float [units].
        folded: whether they hold the gain and the shift of the LayerNorm whose output they
            multiply, see :func:`fold`.
    """

    kernel: tf.Tensor
    bias: tf.Tensor
    folded: bool = False

    def split(self, parts: int) -> list[Weights]:
        """Equal parts of the units."""
        # Split and not sliced: the gradient of a slice is a slow scatter.
        kernels, biases = tf.split(self.kernel, parts, axis=1), tf.split(self.bias, parts)
        return [Weights(*both, self.folded) for both in zip(kernels, biases, strict=True)]


def fold(weights: Weights, gamma: tf.Tensor, beta: tf.Tensor) -> Weights:
    """Gain and shift go into the weights, which have fewer numbers than a batch.

    (gamma unit + beta) W + b = unit (gamma W) + (beta W + b).

    Args:
        weights: of a layer that reads the output of a LayerNorm.
        gamma, beta: float32 [width], of the LayerNorm.
    """
    if weights.folded:
        return weights
    shift = tf.linalg.matvec(weights.kernel, beta, transpose_a=True)
    return Weights(gamma[:, None] * weights.kernel, weights.bias + shift, folded=True)


class Steps:
    """One vector per step.

    Layers read each other's outputs through :meth:`project` alone: an output is not computed where
    its parts are cheaper to multiply.

    Args:
        tensor: float [batch, steps, width].
    """

    def __init__(self, tensor: tf.Tensor) -> None:
        self.tensor = tensor

    def project(self, weights: Weights) -> tf.Tensor:
        """value kernel + bias, float [batch, steps, units] of the type of ``tensor``."""
        return project(self.tensor, weights.kernel, weights.bias)

    def value(self) -> tf.Tensor:
        """float [batch, steps, width]."""
        return self.tensor

    def part(self, first: tf.Tensor | int, count: tf.Tensor | int = -1) -> Steps:
        """``count`` steps from ``first`` on; all of them by default."""
        return Steps(_part(self.tensor, first, count))


class Standardised(Steps):
    """The output of LayerNorm: gamma unit + beta.

    Gain and shift go into the weights that read it, see :func:`fold`.

    Args:
        unit: float [batch, steps, width], of mean 0 and variance 1.
        gamma, beta: float32 [width].
    """

    def __init__(self, unit: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> None:
        super().__init__(unit)
        self.gamma, self.beta = gamma, beta

    def project(self, weights: Weights) -> tf.Tensor:
        return super().project(fold(weights, self.gamma, self.beta))

    def value(self) -> tf.Tensor:
        return tf.cast(self.tensor, tf.float32) * self.gamma + self.beta

    def part(self, first: tf.Tensor | int, count: tf.Tensor | int = -1) -> Standardised:
        return Standardised(_part(self.tensor, first, count), self.gamma, self.beta)


class Embedded(Steps):
    """The input embedding: columns rows + position.

    In training only ``rows`` depends on weights, so that the gradient of a product with the value
    needs that of a few columns, not of every number of every step.

    Args:
        columns: float [batch, steps, few].
        rows: float32 [few, width].
        position: float [batch, steps, width].
        value: float [batch, steps, width], their sum; computed by default.

    Attributes:
        fits: float32 [batch, steps, fits], predictions that the head can mix; None where the
            architecture has none.
        scatter: float32 [batch, fits + 1], how well they fit, and nothing does; see
            :class:`~astromer.encoder.phase_features.PhaseFeatures`.
    """

    fits: tf.Tensor | None = None
    scatter: tf.Tensor | None = None

    def __init__(
        self,
        columns: tf.Tensor,
        rows: tf.Tensor,
        position: tf.Tensor,
        value: tf.Tensor | None = None,
    ) -> None:
        if value is None:
            value = project(columns, rows, tf.zeros(rows.shape[-1:])) + position
        super().__init__(value)
        self.columns, self.rows, self.position = columns, rows, position

    def project(self, weights: Weights) -> tf.Tensor:
        value, (kernel, bias, _) = tf.stop_gradient(self.tensor), weights
        return _project_embedded(value, self.position, self.columns, self.rows, kernel, bias)

    def part(self, first: tf.Tensor | int, count: tf.Tensor | int = -1) -> Embedded:
        tensors = (self.columns, self.position, self.tensor)
        columns, position, value = (_part(x, first, count) for x in tensors)
        return Embedded(columns, self.rows, position, value)


@tf.custom_gradient
def _project_embedded(
    value: tf.Tensor,
    position: tf.Tensor,
    columns: tf.Tensor,
    rows: tf.Tensor,
    kernel: tf.Tensor,
    bias: tf.Tensor,
) -> Any:
    """value kernel + bias, where value = columns rows + position."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        flat, few, whole = (tf.reshape(x, [-1, x.shape[-1]]) for x in (upstream, columns, value))
        along = tf.cast(tf.matmul(few, flat, transpose_a=True), tf.float32)
        rows_kernel = tf.cast(tf.matmul(rows, kernel), flat.dtype)
        # TensorFlow leaves the large gradients of position and columns out of the graph if unused.
        of_position = tf.matmul(flat, tf.cast(kernel, flat.dtype), transpose_b=True)
        return (
            None,
            tf.reshape(of_position, tf.shape(position)),
            tf.reshape(tf.matmul(flat, rows_kernel, transpose_b=True), tf.shape(columns)),
            tf.matmul(along, kernel, transpose_b=True),
            tf.cast(tf.matmul(whole, flat, transpose_a=True), tf.float32),
            tf.cast(tf.reduce_sum(flat, axis=0), tf.float32),
        )

    return project(value, kernel, bias), gradient


def _part(x: tf.Tensor, first: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    # tf.slice and not x[:, :n], whose gradient is a slow scatter.
    return tf.slice(x, [0, first, 0], [-1, count, x.shape[-1]])
