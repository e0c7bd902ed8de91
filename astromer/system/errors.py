"""Errors a user can cause or mend, each with its own exit code.

A message says which rule was broken, what was received, where, and what to do.
Command-line programs print it as one line and exit with ``exit_code``; see
:func:`astromer.commands.cli.run_program`. docs/exit_codes.md lists the codes.
"""

from collections.abc import Iterator

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
