"""What the system refuses a program: room on a disk, access to a file, memory.

Libraries say so each in its own way, some only in the text of an error of another kind. Imports the
standard library only.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from astromer.system.errors import AstromerError, OutOfMemoryError, StorageError, causes
from astromer.system.text import brief

_GO_ON = "The same command goes on from here."

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_FAILING = {errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV, errno.EUCLEAN}
_SHORT = {errno.ENOMEM}
_FILES = {errno.EMFILE, errno.ENFILE}

# As strerror, SQLite (in ML Metadata) and TensorFlow put it.
_TEXTS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "File too large": errno.EFBIG,
    "database or disk is full": errno.ENOSPC,
    "Read-only file system": errno.EROFS,
    "attempt to write a readonly database": errno.EROFS,
    "Permission denied": errno.EACCES,
    "Input/output error": errno.EIO,
    "disk I/O error": errno.EIO,
    "Too many open files": errno.EMFILE,
    "Cannot allocate memory": errno.ENOMEM,
    "cannot allocate memory": errno.ENOMEM,
    "failed to map segment from shared object": errno.ENOMEM,
    "bad_alloc": errno.ENOMEM,
    "OOM when allocating": errno.ENOMEM,
    "failed to allocate memory": errno.ENOMEM,
    "can't start new thread": errno.ENOMEM,
    "Resource temporarily unavailable": errno.ENOMEM,  # of a thread that cannot be started
}


def refusal(
    error: BaseException, folder: Path | None = None, needs: Callable[[], str] = lambda: ""
) -> AstromerError | None:
    """What the system refused, if that is what an error came from.

    Args:
        error: with those that it was raised because of.
        folder: where the program writes, for errors that name no file.
        needs: tells how much room the program needs; asked where there is none.

    Returns:
        A StorageError or an OutOfMemoryError to raise in its place; None for anything else, and
        for errors of this package.
    """
    for seen in causes(error):
        if isinstance(seen, AstromerError):
            return None  # has said it better
        if (number := _number(seen)) is not None:
            return _told(number, seen, folder, needs)
    return None


def is_refused(error: BaseException) -> bool:
    """Whether an error says something of the machine, and nothing of the file that was read."""
    return refusal(error) is not None


def _told(
    number: int, error: BaseException, folder: Path | None, needs: Callable[[], str]
) -> AstromerError:
    what = os.strerror(number)
    place = _place(error, folder)
    at = f" at {place}" if place else ""
    if number in _FULL:
        needed = ""
        with suppress(OSError):  # what it is told from may be what cannot be read
            needed = needs()
        return StorageError(
            f"a disk must have room for what is written to it. Received: {what}{at}"
            f"{_room(place or folder)}. {needed}Make room, or choose another folder. {_GO_ON}"
        )
    if number in _FORBIDDEN:
        return StorageError(
            f"files must be such that they may be read, and written where results go. Received: "
            f"{what}{at}. Mend the rights or how the disk is mounted, or choose another folder. "
            f"{_GO_ON}"
        )
    if number in _FILES:
        return StorageError(
            f"the system must let a program open some hundred files. Received: {what}{at}. Raise "
            f"the limit (ulimit -n). {_GO_ON}"
        )
    if number in _FAILING and "://" in place:
        said = (getattr(error, "strerror", None) or what).split("\n")[0]
        return StorageError(
            f"a store must answer what it is asked. Received: {said}{at}. Look at the network, the "
            f"store and the credentials. {_GO_ON}"
        )
    if number in _FAILING:
        return StorageError(
            f"a disk must give back what was written to it. Received: {what}{at}. Look at the "
            "system's log (dmesg) and at the disk, or copy the files to another one and give the "
            "same command with them."
        )
    return OutOfMemoryError(
        f"the system must have memory for the program. Received: {_line(error)}. End other "
        "programs, raise the limit (ulimit -v, or that of the container), or lower --bs. "
        f"{_GO_ON}"
    )


def _number(error: BaseException) -> int | None:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    known = _FULL | _FORBIDDEN | _FAILING | _SHORT | _FILES
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno if error.errno in known else None
    text = str(error)
    return next((number for said, number in _TEXTS.items() if said in text), None)


def _place(error: BaseException, folder: Path | None) -> str:
    named = getattr(error, "filename", None)
    if isinstance(named, bytes):
        named = os.fsdecode(named)
    if isinstance(named, str) and named:
        return named
    if isinstance(error, OSError) or folder is None:
        return str(folder or "")
    text = str(error)  # TensorFlow's begin with the file
    first = text.split(";")[0].strip()
    return first if first.startswith("/") and "\n" not in first else str(folder)


def _room(place: str | Path | None) -> str:
    """How much is left where a file is, in words that follow it."""
    if not place:
        return ""
    path = Path(place).absolute()
    for folder in (path, *path.parents):  # what could not be made is not there
        try:
            return f", where {shutil.disk_usage(folder).free / 1e6:,.1f} MB are left"
        except OSError:
            continue
    return ""


def _line(error: BaseException) -> str:
    said, name = brief(error, 200), type(error).__name__
    return name if said == name else f"{name}: {said}"
