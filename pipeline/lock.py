"""One run at a time in one output folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from astromer.errors import OutputLockedError, UsageError
from astromer.storage import RemotePath
from pipeline.store_lock import locked_in_store

LOCK_FILE = ".lock"


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Holds the output folder's lock; the system lets it go when the process ends.

    In a store, which has no such locks, it is that of :mod:`pipeline.store_lock`.

    Raises:
        UsageError: the folder cannot be made or written.
        OutputLockedError: another run holds it; the message names its process.
    """
    if isinstance(output, RemotePath):
        with locked_in_store(output):
            yield
        return
    with _open(output) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise OutputLockedError(
                f"the output folder {output} is in use by {holder}. Wait for it, or choose "
                "another --output."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _open(output: Path) -> IO[str]:
    try:
        output.mkdir(parents=True, exist_ok=True)
        return open(output / LOCK_FILE, "a+")
    except OSError as error:
        raise UsageError(
            f"--output must be a folder that can be written. Received: {output}: {error.strerror}."
        ) from error
