"""One process at a time in one folder."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from astromer.system.errors import OutputLockedError, UsageError
from astromer.system.storage import RemotePath

LOCK_FILE = ".lock"


@contextmanager
def locked(folder: Path, option: str = "--output", wait: float = 0.0) -> Iterator[None]:
    """Holds a folder's lock; the system lets it go when the process ends.

    In a store, which has no such locks, it is that of :mod:`astromer.system.storage.lock`.

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


LOCKS = ".locks"
BEAT_SECONDS = 60.0
STALE_SECONDS = 600.0
"""Ten beats that failed or were not given: its process was killed, or cut off from the store."""


@contextmanager
def locked_in_store(output: RemotePath, option: str = "--output") -> Iterator[None]:
    """Holds a lock file that says once a minute that its process goes on.

    No store can make a file only if there is none. So each process first writes a file of its
    own and then looks for others: of two that begin at once, at least one sees the other and gives
    way.

    Raises:
        UsageError: the store cannot be written.
        OutputLockedError: another process holds it; the message names it.
    """
    own = output / LOCKS / f"{uuid.uuid4().hex}.json"
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    ended = threading.Event()
    beats = threading.Thread(target=_go_on, args=(own, holder, ended), daemon=True)
    try:
        others = _others(own, holder, output, option)
        if others:
            raise OutputLockedError(
                f"the folder {output} is in use by {_read(others[0]).get('holder')}. Wait for it, "
                f"or choose another {option}. The lock of a process that was killed counts for "
                f"{STALE_SECONDS / 60:.0f} minutes, or until {others[0]} is deleted."
            )
        beats.start()
        yield
    finally:
        ended.set()
        if beats.is_alive():
            beats.join()  # else a last beat could come after the end
        with contextlib.suppress(OSError):
            own.unlink(missing_ok=True)


def _others(own: Path, holder: str, output: Path, option: str) -> list[Path]:
    """Writes a lock and looks for those of other processes."""
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        _beat(own, holder)
        return [path for path in own.parent.iterdir() if path != own and not _is_stale(path)]
    except OSError as error:
        raise UsageError(
            f"{option} must be a folder that can be written. Received: {output}: {error.strerror}."
        ) from error


def _go_on(own: Path, holder: str, ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        with contextlib.suppress(OSError):  # the next beat may be heard again
            _beat(own, holder)


def _beat(own: Path, holder: str) -> None:
    own.write_text(json.dumps({"holder": holder, "time": time.time()}), encoding="utf-8")


def _is_stale(path: Path) -> bool:
    """Removes the lock of a run that is no more."""
    stale = time.time() - _read(path).get("time", time.time()) > STALE_SECONDS
    if stale:
        path.unlink(missing_ok=True)
    return stale


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"holder": "a run that has just ended", "time": 0.0}
    except ValueError:
        return {"holder": "another run"}
