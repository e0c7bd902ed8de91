"""Element-wise operations in one pass over memory, where that pays."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from astromer.system.logs import quiet_stderr

_fusing: ContextVar[bool] = ContextVar("fusing", default=False)


@contextlib.contextmanager
def fusing(wanted: bool = True) -> Iterator[None]:
    """While a network is traced in this context, :func:`fused` compiles.

    Each shape is compiled anew and takes a tenth of a second: for shapes that recur.
    """
    token = _fusing.set(wanted)
    try:
        yield
    finally:
        _fusing.reset(token)


def fused(function: Callable[..., Any], dtype: tf.DType) -> Callable[..., Any]:
    """Compiles a function of element-wise operations with XLA for bfloat16 on a CPU.

    There each operation would convert to float32 and back: normalisation takes half the time this
    way, its gradient a third. In float32 a step gains a few per cent, less than compiling is
    worth; a GPU would need the CUDA compiler.

    Args:
        function: of tensors, with static ranks.
        dtype: of its inputs.

    Returns:
        The function itself outside of :func:`fusing`.
    """
    if not _fusing.get() or dtype != tf.bfloat16 or tf.config.list_physical_devices("GPU"):
        return function
    _start_compiler()
    return tf.function(function, jit_compile=True, autograph=False)


@functools.cache
def _start_compiler() -> None:
    """Lets XLA say once, to nobody, that it has started and compiled something."""
    with quiet_stderr(), tf.init_scope():
        tf.function(lambda: tf.zeros(1) + 1, jit_compile=True, autograph=False)()
