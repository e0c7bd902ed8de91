"""Ctrl-C and SIGTERM, and a watchdog that reports when this process is killed.

Imports the standard library only.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from astromer.system.errors import EXIT_CODES_PAGE

_ENDED = b"\n"
_interrupted = False
_watchdog_pipe: int | None = None


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


@contextmanager
def watchdog() -> Iterator[None]:
    """Reports on standard error when this process is killed or crashes inside the block.

    Such a process prints nothing. A second, small one waits for its end and prints the error. Must
    be entered before threads are started.
    """
    global _watchdog_pipe
    read, write = os.pipe()
    watched = os.getpid()
    child = os.fork()
    if not child:
        os.close(write)
        _watch(read, watched)
    os.close(read)
    _watchdog_pipe = write
    try:
        yield
    finally:
        _watchdog_pipe = None
        if os.getpid() == watched:  # a fork of this process may end here, too
            with suppress(OSError):
                os.write(write, _ENDED)
            os.close(write)
            with suppress(OSError):
                os.waitpid(child, 0)


def set_watchdog_log(log: Path) -> None:
    """Sets the log file that the watchdog's error names."""
    if _watchdog_pipe is not None:
        with suppress(OSError):
            os.write(_watchdog_pipe, os.fsencode(log) + b"\0")


def _watch(read: int, watched: int) -> None:
    """Runs in the second process, and ends it."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it ends when the watched process does
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        received = b""
        while block := os.read(read, 1 << 12):
            received += block
            if received.endswith(_ENDED):
                return
        log = os.fsdecode(received.rsplit(b"\0", 2)[-2]) if b"\0" in received else ""
        text = (
            f"error: process {watched} was killed, mostly because memory ran out, or crashed in "
            f"native code. {f'Log: {log}. ' if log else ''}The exit code says which: see "
            f"{EXIT_CODES_PAGE}. Run the same command again to resume.\n"
        )
        os.write(2, text.encode("utf-8", "backslashreplace"))
    finally:
        os._exit(0)
