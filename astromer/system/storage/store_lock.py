"""One process at a time in one folder of a store, where the system keeps no locks."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astromer.system.errors import OutputLockedError, UsageError
from astromer.system.storage import RemotePath

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
