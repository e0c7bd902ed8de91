"""Dense and normalisation layers that read and write memory as seldom as they can."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import keras
import tensorflow as tf

from astromer.encoder.steps import Standardised, Steps, Weights, fold
from astromer.system.logs import quiet_stderr

_fusion_allowed: ContextVar[bool] = ContextVar("fusion_allowed", default=False)
_weights: ContextVar[Mapping[FlatDense, Weights] | None] = ContextVar("weights", default=None)


@contextlib.contextmanager
def allow_fusion(allowed: bool = True) -> Iterator[None]:
    """While a network is traced in this context, :func:`fused` compiles.

    Use it for shapes that recur: compiling takes a tenth of a second for each shape.
    """
    token = _fusion_allowed.set(allowed)
    try:
        yield
    finally:
        _fusion_allowed.reset(token)


def fused(function: Callable[..., Any], dtype: tf.DType) -> Callable[..., Any]:
    """Compiles a function of element-wise operations with XLA for bfloat16 on a CPU.

    There each operation would convert to float32 and back: normalisation takes half the time this
    way, its gradient a third. In float32 a step gains too little for the cost of compiling; a GPU
    would need the CUDA compiler.

    Outside of :func:`allow_fusion` it returns the function itself.

    Args:
        function: of tensors, with static ranks.
        dtype: of its inputs.
    """
    if not _fusion_allowed.get() or dtype != tf.bfloat16 or tf.config.list_physical_devices("GPU"):
        return function
    _start_compiler()
    return tf.function(function, jit_compile=True, autograph=False)


@functools.cache
def _start_compiler() -> None:
    """Starts XLA once, without the lines that it logs then."""
    with quiet_stderr(), tf.init_scope():
        tf.function(lambda: tf.zeros(1) + 1, jit_compile=True, autograph=False)()


@contextlib.contextmanager
def use_weights(weights: Mapping[FlatDense, Weights]) -> Iterator[None]:
    """While a network is traced in this context, these layers read these weights, not their own."""
    token = _weights.set(weights)
    try:
        yield
    finally:
        _weights.reset(token)


class FlatDense(keras.layers.Dense):
    """keras.layers.Dense through :func:`~astromer.encoder.steps.project`."""

    @property
    def weights_read(self) -> Weights:
        """Its own, or those of :func:`use_weights`."""
        given = _weights.get() or {}
        return given.get(self) or Weights(
            tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        )

    def call(self, x: tf.Tensor, training: Any = None) -> tf.Tensor:
        """x: float [..., width]. Returns float [..., units]."""
        return self.read(Steps(x))

    def read(self, x: Steps) -> tf.Tensor:
        """float [batch, steps, units], of the type of ``x``."""
        y = x.project(self.weights_read)
        return y if self.activation is None else fused(self.activation, y.dtype)(y)


class FastLayerNorm(keras.layers.LayerNormalization):
    """keras.layers.LayerNormalization over the last axis, with its gradient written out.

    It reads and writes memory half as often.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """x: float [..., width]. Returns the same shape."""
        return self.standardise(x).value()

    def fold(self, weights: Weights) -> Weights:
        """Weights of a layer that reads the output, see :func:`~astromer.encoder.steps.fold`."""
        return fold(weights, tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta))

    def standardise(
        self,
        x: tf.Tensor,
        skip: tf.Tensor | None = None,
        kept: tf.Tensor | None = None,
        scale: float = 1.0,
    ) -> Standardised:
        """Normalises y = dropout(x) + skip; the layers that read the result apply gain and shift.

        (y - mean) / sqrt(variance + epsilon) over the last axis (Ba et al. 2016).

        Args:
            x: float [..., width].
            skip: float, same shape and type, or None for nothing.
            kept: bool, same shape, False where x is dropped; None to keep everything.
            scale: factor of kept values.

        Returns:
            Of the type of ``x``; the statistics are float32 anyway.
        """
        unit = _standardise(x, skip, kept, scale, self.epsilon)
        return Standardised(unit, tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta))


def _standardise(
    x: tf.Tensor, skip: tf.Tensor | None, kept: tf.Tensor | None, scale: float, epsilon: float
) -> tf.Tensor:
    if skip is None and kept is not None:
        # scale y and epsilon give what y and epsilon / scale^2 give, in more products.
        epsilon, scale = epsilon / scale**2, 1.0

    def factor(kept: tf.Tensor) -> tf.Tensor:
        kept = tf.cast(kept, tf.float32)
        return kept if scale == 1 else kept * scale

    def forward(x: tf.Tensor, *others: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rest = list(others)
        y = tf.cast(x, tf.float32)
        if kept is not None:
            y *= factor(rest.pop())
        if skip is not None:
            y += tf.cast(rest.pop(), tf.float32)
        centred = y - tf.reduce_mean(y, axis=-1, keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
        inverse = tf.math.rsqrt(variance + epsilon)
        return tf.cast(centred * inverse, x.dtype), inverse

    def backward(
        upstream: tf.Tensor, unit: tf.Tensor, inverse: tf.Tensor, *others: tf.Tensor
    ) -> list[tf.Tensor]:
        dtype, wide, unit = upstream.dtype, *(tf.cast(z, tf.float32) for z in (upstream, unit))
        mean = tf.reduce_mean(wide, axis=-1, keepdims=True)
        slope = tf.reduce_mean(wide * unit, axis=-1, keepdims=True)
        of_skip = inverse * (wide - mean - unit * slope)
        of_x = of_skip
        if kept is not None:
            of_x = of_skip * factor(others[-1])
        return [tf.cast(z, dtype) for z in ([of_x] if skip is None else [of_x, of_skip])]

    forward, backward = (fused(function, x.dtype) for function in (forward, backward))
    others = [z for z in (skip, kept) if z is not None]

    @tf.custom_gradient
    def standardise(*inputs: tf.Tensor) -> Any:
        unit, inverse = forward(*inputs)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor | None]:
            found = backward(upstream, unit, inverse, *inputs[1:])
            return [*found, *[None] * (len(inputs) - len(found))]

        return unit, gradient

    return standardise(x, *others)
