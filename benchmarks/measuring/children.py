"""Work in a process of its own, whose peak memory is its own too."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_a_child(work: Callable[[], T]) -> tuple[T, int]:
    """Does the work in a fork of this process.

    Libraries that are loaded already need not be loaded again. TensorFlow may be imported before
    a fork, but must not have been used.

    Returns:
        What the work returned (it is pickled), and the child's highest resident size [bytes].

    Raises:
        RuntimeError: the work failed; the child has printed why.
    """
    read_end, write_end = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.close(read_end)
        os._exit(_work_and_tell(work, write_end))
    os.close(write_end)
    try:
        with os.fdopen(read_end, "rb") as stream:
            told = stream.read()
    except BaseException:  # interrupted: the child must not go on alone
        os.kill(child, signal.SIGTERM)
        raise
    _, status, usage = os.wait4(child, 0)
    if status or not told:
        raise RuntimeError(f"a process that was measured ended with status {status}")
    unit = 1 if sys.platform == "darwin" else 1024
    return pickle.loads(told), usage.ru_maxrss * unit


def _work_and_tell(work: Callable[[], object], write_end: int) -> int:
    try:
        result = pickle.dumps(work())
        with os.fdopen(write_end, "wb") as stream:
            stream.write(result)
        sys.stdout.flush()
    except (KeyboardInterrupt, SystemExit):
        return 1
    except BaseException:  # nothing of the child may go on in the parent's code
        traceback.print_exc()
        sys.stderr.flush()
        return 1
    return 0
