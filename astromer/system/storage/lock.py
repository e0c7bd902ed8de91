"""One process at a time in one folder, here or in a store."""

from __future__ import annotations

import errno
import fcntl
import functools
import json
import os
import random
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from astromer.system.errors import OutputLockedError
from astromer.system.storage import RemotePath, make_folder, not_writable

LOCK_FILE = ".lock"
LOCKS = ".locks"
BEAT_SECONDS = 60.0
STALE_SECONDS = 600.0
"""Ten missing heartbeats: the process was killed, or cut off from the store."""
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)


@contextmanager
def locked(folder: Path, option: str = "--output", wait: float = 0.0) -> Iterator[None]:
    """Holds a folder's lock; the system releases it when the process ends.

    Stores, and file systems such as Lustre without ``flock``, have no such locks; there it is a
    file that is written again every minute.

    Args:
        folder: made if missing.
        option: what names the folder, for messages.
        wait: seconds to wait for another process that holds it.

    Raises:
        UsageError: the folder cannot be made or written to.
        OutputLockedError: another process holds it; the message names it.
    """
    with ExitStack() as held:
        taken: Callable[[Path, str], AbstractContextManager[None]]
        if isinstance(folder, RemotePath):
            taken = _locked_by_file
        else:
            taken = functools.partial(_locked_by_system, held.enter_context(_open(folder, option)))
        _retry(lambda: held.enter_context(taken(folder, option)), wait)
        yield


def has_locks(folder: Path) -> bool:
    """Whether a file system has locks, which Lustre may lack; True where nothing can be written."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _NO_LOCKS
    return True


def _open(folder: Path, option: str) -> IO[str]:
    make_folder(folder, option)
    try:
        return open(folder / LOCK_FILE, "a+")
    except OSError as error:
        raise not_writable(option, folder, error) from error


def _retry(take: Callable[[], object], wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            take()
            return
        except OutputLockedError:
            if time.monotonic() >= deadline:
                raise
            # Two that give way to each other must not come back at the same time.
            time.sleep(random.uniform(0.02, 0.1))


@contextmanager
def _locked_by_system(file: IO[str], folder: Path, option: str) -> Iterator[None]:
    with ExitStack() as held:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise _in_use(folder, file.read().strip() or "another process", option) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            held.enter_context(_locked_by_file(folder, option))
        _write_holder(file, f"process {os.getpid()}")
        held.callback(_write_holder, file, "")
        yield


def _write_holder(file: IO[str], holder: str) -> None:
    """For messages only: the lock is held on a full disk, too."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), holder.encode())


def _in_use(folder: Path, holder: str, option: str, more: str = "") -> OutputLockedError:
    return OutputLockedError(
        f"the folder {folder} is in use by {holder}. Wait for it, or choose another {option}.{more}"
    )


@contextmanager
def _locked_by_file(output: Path, option: str) -> Iterator[None]:
    """Holds a lock file with a heartbeat, where there are no locks.

    No store can make a file only if there is none. So each process first writes a file of its
    own and then looks for others: of two that begin at once, at least one sees the other and gives
    way.
    """
    own = output / LOCKS / f"{uuid.uuid4().hex}.json"
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    ended = threading.Event()
    heartbeat = threading.Thread(target=_beat_until, args=(ended, own, holder), daemon=True)
    try:
        try:
            own.parent.mkdir(parents=True, exist_ok=True)
            _beat(own, holder)
            others = [path for path in own.parent.iterdir() if path != own and not _is_stale(path)]
        except OSError as error:
            raise not_writable(option, output, error) from error
        if others:
            raise _in_use(
                output,
                str(_read(others[0]).get("holder")),
                option,
                f" The lock of a process that was killed counts for {STALE_SECONDS / 60:.0f} "
                f"minutes, or until {others[0]} is deleted.",
            )
        heartbeat.start()
        yield
    finally:
        ended.set()
        if heartbeat.is_alive():
            heartbeat.join()  # else a last beat could follow the removal
        with suppress(OSError):
            own.unlink(missing_ok=True)


def _beat_until(ended: threading.Event, own: Path, holder: str) -> None:
    while not ended.wait(BEAT_SECONDS):
        with suppress(OSError):  # the next one may succeed
            _beat(own, holder)


def _beat(own: Path, holder: str) -> None:
    own.write_text(json.dumps({"holder": holder, "time": time.time()}), encoding="utf-8")


def _is_stale(path: Path) -> bool:
    """Whether a lock's process has ended; then it is removed."""
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
