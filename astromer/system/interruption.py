"""Ctrl-C and SIGTERM. Imports the standard library only."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, NoReturn

_interrupted = False


def remember_interruptions() -> None:
    """From now on Ctrl-C is remembered; it raises KeyboardInterrupt as before.

    Libraries with a bare ``except:`` around an import swallow KeyboardInterrupt and fail later with
    another error. Does nothing where Ctrl-C is ignored, as in background jobs of a shell.
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


class StopRequest:
    """While entered, the first Ctrl-C or SIGTERM sets ``requested``; a second one kills.

    A signal in the midst of a training step would leave weights and optimizer half updated.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        # Python lets the main thread alone set handlers; elsewhere signals do what they did.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self.__exit__()
