"""Ctrl-C and SIGTERM. Imports the standard library only."""

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


_OVER = b"\n"
_log: int | None = None


@contextmanager
def last_words() -> Iterator[None]:
    """Inside the block, an abrupt end of this process is told on standard error."""
    global _log
    read, write = os.pipe()
    watched = os.getpid()
    child = os.fork()
    if not child:
        os.close(write)
        _watch(read, watched)
    os.close(read)
    _log = write
    try:
        yield
    finally:
        _log = None
        if os.getpid() == watched:  # a copy of this process may end here, too
            with suppress(OSError):
                os.write(write, _OVER)
            os.close(write)
            with suppress(OSError):
                os.waitpid(child, 0)


def name_log(log: Path) -> None:
    """Last words will name this file."""
    if _log is not None:
        with suppress(OSError):
            os.write(_log, os.fsencode(log) + b"\0")


def _watch(read: int, watched: int) -> None:
    """The whole life of the second process."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # what stops the other ends this one
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        said = b""
        while news := os.read(read, 1 << 12):
            said += news
            if said.endswith(_OVER):
                return
        log = os.fsdecode(said.rsplit(b"\0", 2)[-2]) if b"\0" in said else ""
        text = (
            f"error: process {watched} has ended without a word: it was killed, mostly because "
            "memory ran out, or native code gave up"
            f"{f'; its log ends with what libraries said, {log}' if log else ''}. The exit code "
            f"tells which ({EXIT_CODES_PAGE}). The same command goes on from here.\n"
        )
        os.write(2, text.encode("utf-8", "backslashreplace"))
    finally:
        os._exit(0)
