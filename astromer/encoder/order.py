"""The order in which the encoder, which works in any, takes the steps of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from astromer.encoder.steps import Steps


@dataclass(frozen=True)
class Quirks:
    """How a public implementation treats steps that are hidden or padded.

    Our own training never uses it: hidden magnitudes reach the network, and scores on "hidden"
    steps partly measure copying.

    Attributes:
        attention_bias: added to the attention logits of those steps; +1 in Astromer 1, which draws
            attention to them.
        blocks_queries: whether it is added where the query is such a step, too.
        shows_hidden: whether the network reads the true magnitudes of hidden steps.
    """

    attention_bias: float
    blocks_queries: bool
    shows_hidden: bool


ASTROMER_1 = Quirks(attention_bias=1.0, blocks_queries=True, shows_hidden=True)
ASTROMER_2 = Quirks(attention_bias=-1e9, blocks_queries=False, shows_hidden=True)


BLOCKED = -1e9  # added to a logit, leaves no weight in float32
_LANES = 8


def whole_lanes(count: Any) -> Any:
    """The multiple of 8 that is no less than a positive number, be it in the graph or not.

    For numbers of keys that a graph counts, of steps of a served chunk and of windows that
    fine-tune: few shapes occur.
    """
    # Without negative numbers: ONNX rounds quotients towards zero, not down.
    return (count + _LANES - 1) // _LANES * _LANES


class Order:
    """The steps as the caller gives them; every step is a key.

    Attributes:
        bias: float32 [batch, 1, 1 or steps, num_keys], added to the attention logits.
    """

    bias: tf.Tensor

    def apply(self, values: tf.Tensor) -> tf.Tensor:
        """[batch, steps] in the encoder's order."""
        return values

    def keys(self, x: Steps) -> Steps:
        """The steps to attend to."""
        return x

    def restore(self, x: tf.Tensor) -> tf.Tensor:
        """[batch, steps, ...] in the caller's order."""
        return x


class AsGiven(Order):
    """The caller's order, for public weights, which attend to hidden steps."""

    def __init__(self, visible: tf.Tensor, quirks: Quirks) -> None:
        blocked = ~visible[:, None, None, :]
        if quirks.blocks_queries:
            blocked = tf.logical_or(blocked, ~visible[:, None, :, None])
        self.bias = tf.where(blocked, quirks.attention_bias, 0.0)


class Presorted(Order):
    """Windows whose visible steps are among the first already, so that these alone are keys.

    Only the first ``num_keys`` steps need keys and values: a third fewer under the published
    masking.

    Args:
        visible: bool [batch, steps]. A window without a visible step attends to its first step,
            whatever the other windows of the batch are.
        num_keys: int32, no step after so many is visible; counted by default.

    Attributes:
        bias: float32 [batch, 1, 1, num_keys], blocks keys that are not visible.
    """

    def __init__(self, visible: tf.Tensor, num_keys: tf.Tensor | None = None) -> None:
        step = tf.range(tf.shape(visible)[1])
        if num_keys is None:
            most = tf.reduce_max(tf.where(visible, step + 1, 1))
            most = tf.maximum(most, 1)  # for an empty batch, too
            num_keys = tf.minimum(whole_lanes(most), tf.shape(visible)[1])
        self._most = num_keys
        nothing = ~tf.reduce_any(visible, axis=1, keepdims=True)
        shown = (visible | (nothing & (step == 0)))[:, :num_keys]
        bias = tf.where(shown, 0.0, BLOCKED)[:, None, None, :]
        # TensorFlow adds it within the product only if it knows the rank and finds the product
        # first; it sorts the terms of a sum by name, and that of the product is "mul".
        self.bias = tf.ensure_shape(bias, [None, 1, 1, None], name="visible_bias")

    def keys(self, x: Steps) -> Steps:
        return x.part(0, self._most)


class VisibleFirst(Presorted):
    """Visible steps first; outputs go back to the caller's order."""

    def __init__(self, visible: tf.Tensor) -> None:
        self._order = tf.argsort(tf.cast(~visible, tf.int32), axis=1, stable=True)
        self._back = tf.argsort(self._order, axis=1)
        super().__init__(self.apply(visible))

    def apply(self, values: tf.Tensor) -> tf.Tensor:
        return tf.gather(values, self._order, batch_dims=1)

    def restore(self, x: tf.Tensor) -> tf.Tensor:
        return _take(x, self._back, self._order)


@tf.custom_gradient
def _take(x: tf.Tensor, order: tf.Tensor, inverse: tf.Tensor) -> Any:
    """x in another order; its gradient in the inverse order, instead of a scatter."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor | None, ...]:
        return tf.gather(upstream, inverse, batch_dims=1), None, None

    return tf.gather(x, order, batch_dims=1), gradient
