"""Errors a user can cause or mend, each with its own exit code.

A message says which rule was broken, what was received, where, and what to do.
Command-line programs print it as one line and exit with ``exit_code``; see
:func:`astromer.commands.cli.run_program`. docs/exit_codes.md lists the codes.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from astromer.system.text import brief

EXIT_CODES_PAGE = "docs/exit_codes.md"

PIPE_CLOSED = 141
"""128 + SIGPIPE: the reader of a program's output went away, as ``head`` does."""

STOPPED = 143
"""128 + SIGTERM."""

ABORTED, KILLED, CRASHED = 134, 137, 139
"""128 + SIGABRT, SIGKILL and SIGSEGV: how processes end that cannot tell anything themselves."""

_WITHOUT_ERROR = {
    0: ("", "Done; of a runner: pushed, or up to date."),
    PIPE_CLOSED: ("", "The reader of the output went away, as `head` does."),
    STOPPED: ("", "Stopped by SIGTERM where there was nothing to save."),
    ABORTED: ("", "Native code gave up; mostly the system gave it no more memory."),
    KILLED: ("", "Killed by the system, mostly because memory ran out, or by a user."),
    CRASHED: ("", "Native code crashed."),
}


class AstromerError(Exception):
    """Something else, unforeseen or a library that is not installed; the message says which."""

    exit_code = 1


class UsageError(AstromerError):
    """An option or argument has a value that cannot work."""

    exit_code = 2


class DataNotFoundError(AstromerError):
    """A data folder, a split or its record files are missing or empty."""

    exit_code = 3


class RecordError(AstromerError):
    """A record file is corrupt, or a record in it is not a light curve."""

    exit_code = 4


class LightCurveError(AstromerError):
    """A light curve holds values that no model can be trained on or fed with."""

    exit_code = 5


class DataAnomalyError(AstromerError):
    """The data as a whole breaks the light-curve schema.

    Attributes:
        table: what was found, in lines for a terminal; printed before the message.
    """

    exit_code = 6

    def __init__(self, message: str, table: str = ""):
        super().__init__(message)
        self.table = table


class TrainingError(AstromerError):
    """Training cannot go on, for instance because the loss is not finite."""

    exit_code = 7


class ModelError(AstromerError):
    """A model, checkpoint or SavedModel is missing, partial or not servable."""

    exit_code = 8


class NotBlessedError(AstromerError):
    """The run ended, but its model was not good enough to be pushed."""

    exit_code = 9


class OutputLockedError(AstromerError):
    """Another run is using the same output folder."""

    exit_code = 10


class ClusterError(AstromerError):
    """A cluster cannot be reached, or refuses what is submitted to it."""

    exit_code = 12


class MetadataError(AstromerError):
    """The database of the pipeline's metadata cannot be used."""

    exit_code = 11


class DamagedVersionError(ModelError):
    """Files of a pushed version are not as they were when it was pushed."""

    exit_code = 13


class StorageError(AstromerError):
    """A disk is full or failing, or a folder or file may not be read or written."""

    exit_code = 14


class OutOfMemoryError(AstromerError):
    """The system gave the program no more memory, or no more threads."""

    exit_code = 15


class WorkerLostError(AstromerError):
    """One of several workers that train together has failed or cannot be reached.

    The code is the one that Kubeflow keeps for programs that want to be started again (TFJob's
    ``restartPolicy: ExitCode``).
    """

    exit_code = 138


class TrainingInterrupted(AstromerError):
    """Stopped by Ctrl-C; training has saved its state, and its runner stops so on SIGTERM, too."""

    exit_code = 130


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, then the one that it was raised because of, and so on."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def exit_codes() -> dict[int, tuple[str, str]]:
    """Every exit code of every program: the error it stands for, and what that means."""
    kinds: list[type[AstromerError]] = [AstromerError]
    for kind in kinds:  # grows meanwhile: of errors there are kinds, too
        kinds += kind.__subclasses__()
    raised = {
        kind.exit_code: (kind.__name__, (kind.__doc__ or "").split("\n")[0])
        for kind in kinds
        if kind.__module__ == __name__
    }
    return dict(sorted({**_WITHOUT_ERROR, **raised}.items()))


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
