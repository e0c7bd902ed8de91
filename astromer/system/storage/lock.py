"""One process at a time in one folder."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from astromer.system.errors import OutputLockedError, UsageError
from astromer.system.storage import RemotePath
from astromer.system.storage.store_lock import locked_in_store

LOCK_FILE = ".lock"


@contextmanager
def locked(folder: Path, option: str = "--output", wait: float = 0.0) -> Iterator[None]:
    """Holds a folder's lock; the system lets it go when the process ends.

    In a store, which has no such locks, it is that of :mod:`astromer.system.storage.store_lock`.

    Args:
        folder: made if missing.
        option: what names the folder, for messages.
        wait: seconds to wait for another process that holds it.

    Raises:
        UsageError: the folder cannot be made or written.
        OutputLockedError: another process holds it; the message names it.
    """
    if isinstance(folder, RemotePath):
        with ExitStack() as held:
            _patiently(lambda: held.enter_context(locked_in_store(folder, option)), wait)
            yield
        return
    with _open(folder, option) as file:
        _patiently(lambda: _take(file, folder, option), wait)
        _sign(file, f"process {os.getpid()}")
        try:
            yield
        finally:
            _sign(file, "")


def _sign(file: IO[str], holder: str) -> None:
    """Writes down who holds the lock, for messages. It is held on a full disk, too."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), holder.encode())


def _patiently(take: Callable[[], object], wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            take()
            return
        except OutputLockedError:
            if time.monotonic() >= deadline:
                raise
            # Of two that give way to each other, one comes back first.
            time.sleep(random.uniform(0.02, 0.1))


def _take(file: IO[str], folder: Path, option: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "another process"
        raise OutputLockedError(
            f"the folder {folder} is in use by {holder}. Wait for it, or choose another {option}."
        ) from None


def _open(folder: Path, option: str) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return open(folder / LOCK_FILE, "a+")
    except OSError as error:
        raise UsageError(
            f"{option} must be a folder that can be written. Received: {folder}: {error.strerror}."
        ) from error
