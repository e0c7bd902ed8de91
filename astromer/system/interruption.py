"""Ctrl-C, remembered. Imports the standard library only.

Libraries with a bare ``except:`` around an import swallow KeyboardInterrupt and fail later, of
something else.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_interrupted = False


def remember_interruptions() -> None:
    """From now on Ctrl-C is remembered; it raises KeyboardInterrupt as before.

    Does nothing where it is ignored, as in background jobs of a shell.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _remember)


def was_interrupted() -> bool:
    """Whether there has been a Ctrl-C, so that a failure is no surprise."""
    return _interrupted


def _remember(number: int, frame: FrameType | None) -> NoReturn:
    global _interrupted
    _interrupted = True
    raise KeyboardInterrupt
