"""Folders for work that is not finished yet, which do not outlive it by long.

A process that is killed removes nothing. The next one that makes such a folder in the same place
does: each is locked for as long as its process works, and the system lets go of the lock of a
process that has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(
    parent: Path, prefix: str, salvage: Callable[[Path], None] = lambda folder: None
) -> Iterator[Path]:
    """An empty folder in ``parent``, removed with what is in it at the end.

    Others with this prefix whose process is gone are removed first.

    Args:
        parent: where it is made.
        prefix: of its name.
        salvage: takes out of an abandoned one what must not be removed.

    Raises:
        OSError: it cannot be made.
    """
    for left in [path for path in parent.iterdir() if path.name.startswith(prefix)]:
        _remove_abandoned(left, salvage)
    folder, lock = _make(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # another process took it for abandoned, before it was locked
        with contextlib.suppress(OSError):  # a file system without locks removes nothing, either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _remove_abandoned(folder: Path, salvage: Callable[[Path], None]) -> None:
    with contextlib.suppress(OSError):  # another process removes it, or is still at work in it
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            salvage(folder)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
