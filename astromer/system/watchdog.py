"""The last words of a process that cannot say them itself.

A process that the system kills because memory runs out, and one in which native code gives up,
end without a message. A second, small process waits for the end of the first, and says what can be
known. Imports the standard library only, and must be asked for before threads are started.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from astromer.system.errors import EXIT_CODES_PAGE

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
