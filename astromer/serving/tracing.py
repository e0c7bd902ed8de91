"""Parts of a served graph that many signatures share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def traced(*signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: a tf.function of one signature, traced once, however many others call it.

    AutoGraph, which would translate the source of all that is called, is off: it takes longer
    than the rest of tracing. What depends on a tensor must be ``tf.cond`` or ``tf.where``.

    Args:
        signature: a TensorSpec for each argument, or a structure of them.
    """
    return tf.function(input_signature=signature, autograph=False)
