"""Errors that a user can cause or correct, each with its own exit code.

A message says which rule was broken, what was received, where, and what to do.
Command-line programs print it as one line and exit with ``exit_code``; see
:func:`astromer.commands.cli.run_program`. docs/exit_codes.md lists the codes.
:func:`system_error` turns errors of the system (a full disk, no memory) into these.
"""

from __future__ import annotations

import errno
import os
import re
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
"""128 + SIGABRT, SIGKILL and SIGSEGV: processes that end without a message."""

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
    """One of several workers that work together has failed or cannot be reached.

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


_BEAM_STEP = re.compile(r" \[while running '(?P<step>[^']*)'\]")
"""What Apache Beam puts behind the message of a worker's error."""
_ERROR = re.compile(
    r"^(?P<name>[A-Za-z_][\w.]*): (?P<text>(?:(?!\n(?:\n|Traceback |  File )).)*?)"
    rf"(?:{_BEAM_STEP.pattern}|(?=\n\n|\n?\Z))",
    re.DOTALL | re.MULTILINE,
)
"""The last lines of a traceback."""


def worker_error(error: BaseException) -> AstromerError | None:
    """The first error of a worker of Beam that this one was raised because of.

    Beam adds the step to a worker's error; from a worker elsewhere there is its traceback, in the
    text of the runner's own error.

    Returns:
        None where no worker has failed.
    """
    for seen in causes(error):
        if isinstance(seen, AstromerError):
            if not _BEAM_STEP.search(str(seen)):
                return None
            seen.args = tuple(_BEAM_STEP.sub("", str(part)) for part in seen.args)
            return seen
        found = list(_ERROR.finditer(str(seen)))
        own = [one for one in found if one["name"].startswith(f"{__name__.split('.')[0]}.")]
        if first := next((one for one in found if one["step"]), next(iter(own), None)):
            return _of_worker(first["name"].rpartition(".")[2], first["text"], first["step"])
    return None


def _of_worker(name: str, text: str, step: str | None) -> AstromerError:
    kind = next((kind for kind in _kinds() if kind.__name__ == name), None)
    if kind is not None and kind.__module__ == __name__:
        return kind(" ".join(text.split()))
    unknown = RuntimeError(f"{name}: {text}")
    return system_error(unknown) or AstromerError(
        f"A worker failed{f' in the step {step}' if step else ''}: {brief(unknown)}. {_RESUME}"
    )


def _kinds() -> list[type[AstromerError]]:
    kinds: list[type[AstromerError]] = [AstromerError]
    for kind in kinds:  # grows in the loop
        kinds += kind.__subclasses__()
    return kinds


def exit_codes() -> dict[int, tuple[str, str]]:
    """Every exit code of every program: the error it stands for, and what that means."""
    raised = {
        kind.exit_code: (kind.__name__, (kind.__doc__ or "").split("\n")[0])
        for kind in _kinds()
        if kind.__module__ == __name__
    }
    return dict(sorted({**_WITHOUT_ERROR, **raised}.items()))


_RESUME = "Run the same command again to resume."

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_FAILING = {errno.EIO, errno.ESTALE, errno.ENXIO, errno.ENODEV, errno.EUCLEAN}
_FILES = {errno.EMFILE, errno.ENFILE}
_KNOWN = _FULL | _FORBIDDEN | _FAILING | _FILES | {errno.ENOMEM}

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


def system_error(
    error: BaseException, folder: Path | None = None, needs: Callable[[], str] = lambda: ""
) -> AstromerError | None:
    """The error to raise for one that the operating system caused.

    Args:
        error: with its causes; libraries often name the reason only in its text.
        folder: where the program writes, for errors that name no file.
        needs: says how much disk space the program needs; asked where there is none.

    Returns:
        A StorageError or an OutOfMemoryError; None for any other error, and for those of this
        package.
    """
    for seen in causes(error):
        if isinstance(seen, AstromerError):
            return None
        if (number := _number(seen)) is not None:
            return _translate(number, seen, folder, needs)
    return None


def is_system_error(error: BaseException) -> bool:
    """Whether an error is about the machine, and not about the content of a file."""
    return system_error(error) is not None


def _translate(
    number: int, error: BaseException, folder: Path | None, needs: Callable[[], str]
) -> AstromerError:
    what = os.strerror(number)
    place = _place(error, folder)
    at = f" at {place}" if place else ""
    if number == errno.ENOMEM:
        return OutOfMemoryError(
            f"the program needs more memory. Received: {_line(error)}. End other programs, raise "
            f"the limit (ulimit -v, or that of the container), or lower --bs. {_RESUME}"
        )
    if number in _FULL:
        needed = ""
        with suppress(OSError):  # it may have to read what cannot be read
            needed = needs()
        return StorageError(
            f"the disk must have space for the output. Received: {what}{at}"
            f"{_space(place or folder)}. {needed}Free some space, or choose another folder. "
            f"{_RESUME}"
        )
    if number in _FORBIDDEN:
        return StorageError(
            "input must be readable and output folders writable. Received: "
            f"{what}{at}. Change the permissions or the mount, or choose another folder. {_RESUME}"
        )
    if number in _FILES:
        return StorageError(
            f"the program must be able to open some hundred files. Received: {what}{at}. Raise the "
            f"limit (ulimit -n). {_RESUME}"
        )
    if "://" in place:
        reason = (getattr(error, "strerror", None) or what).split("\n")[0]
        return StorageError(
            f"the store must answer. Received: {reason}{at}. Check the network, the store and the "
            f"credentials. {_RESUME}"
        )
    return StorageError(
        f"the disk must work. Received: {what}{at}. Check the system's log (dmesg) and the disk, "
        "or copy the files to another one and run the same command with them."
    )


def _number(error: BaseException) -> int | None:
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno if error.errno in _KNOWN else None
    text = str(error)
    return next((number for known, number in _TEXTS.items() if known in text), None)


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


def _space(place: str | Path | None) -> str:
    """How much space is left where a file is, in words that follow it."""
    if not place:
        return ""
    path = Path(place).absolute()
    for folder in (path, *path.parents):  # those that could not be made do not exist
        try:
            return f", where {shutil.disk_usage(folder).free / 1e6:,.1f} MB are left"
        except OSError:
            continue
    return ""


def _line(error: BaseException) -> str:
    text, name = brief(error, 200), type(error).__name__
    return name if text == name else f"{name}: {text}"
