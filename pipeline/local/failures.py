"""How a run ends that fails or is stopped, in this process or in one of its own."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from astromer.records.fold import Fold
from astromer.serving.saved_model import PATTERN_CHARACTERS
from astromer.system.cluster import read_cluster
from astromer.system.errors import (
    AstromerError,
    TrainingInterrupted,
    UsageError,
    causes,
    system_error,
    worker_error,
)
from astromer.system.storage import as_path
from astromer.system.termination import was_interrupted
from astromer.system.text import brief, without_secrets
from pipeline.beam_workers import lost_worker

STOPPED_MESSAGE = "stopped. Run the same command again to resume."
T = TypeVar("T")
_GRACE = 60.0
"""Seconds that a stopped process has to save its state."""


def output_folder(path: str) -> Path:
    """The absolute path of an output folder.

    Raises:
        UsageError: it has characters that TFX takes for patterns.
    """
    output = as_path(path).expanduser().absolute()
    if set(str(output)) & set(PATTERN_CHARACTERS):
        raise UsageError(
            f"--output must hold none of the characters {PATTERN_CHARACTERS}, which TFX takes for "
            f"patterns. Received: {output}."
        )
    return output


def refuse_cluster(program: str) -> None:
    """Raises where TF_CONFIG or CLUSTER_SPEC gives this process other workers to train with.

    Raises:
        UsageError: each of them would run the whole pipeline.
    """
    cluster = read_cluster()
    if cluster is not None:
        raise UsageError(
            f"{program} runs in one process. Received: a cluster of {len(cluster)} in TF_CONFIG or "
            "CLUSTER_SPEC. Train in several with python -m presentation.scripts.disttrain or the "
            "Trainer component alone (docs/train_on_several_machines.md), or unset the variable."
        )


def space_needed(fold: Fold) -> str:
    """The disk space that a run needs, as a sentence for the error of a full disk."""
    size = sum(file.stat().st_size for files in fold.files.values() for file in files)
    return (
        f"A run writes up to twice the size of its records (here {size / 1e6:,.1f} MB), some sixty "
        "bytes for each parameter of the model, and 15 MB more. "
    )


@contextmanager
def one_line_errors(
    log: Path, output: Path | None = None, needs: Callable[[], str] = lambda: ""
) -> Iterator[None]:
    """Turns whatever is raised inside into an error of one line.

    Args:
        log: gets the traceback of an unexpected error.
        output: the folder that is written to.
        needs: describes the disk space that takes; called where there is none.

    Raises:
        TrainingInterrupted: on Ctrl-C and SIGTERM.
        StorageError, OutOfMemoryError: the system refuses room, access or memory.
        AstromerError: the one that others were raised because of, be it in a worker of Beam, or one
            that names the log.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        raise TrainingInterrupted(STOPPED_MESSAGE) from error
    except Exception as error:
        if _is_closed_pipe(error):
            raise BrokenPipeError from error
        if was_interrupted() and cause(error) is None:
            raise TrainingInterrupted(STOPPED_MESSAGE) from error
        known = foreseen(error, output, needs)
        if known is None or known is not cause(error):
            _write_traceback(error, log)
        if known is not None:
            raise known from error
        raise AstromerError(
            f"Unexpected {type(error).__name__}: {brief(error)}. Traceback: {log}. Run the same "
            "command again to resume."
        ) from error


def foreseen(
    error: BaseException, output: Path | None = None, needs: Callable[[], str] = lambda: ""
) -> AstromerError | None:
    """The error to raise instead of one that Beam, the system or this package is the cause of.

    Args:
        error: what was raised.
        output, needs: see :func:`one_line_errors`.
    """
    refused = worker_error(error) or lost_worker() or system_error(error, output, needs)
    return refused or cause(error)


def cause(error: BaseException) -> AstromerError | None:
    """The error of this package that others were raised because of, if there is one."""
    return next((seen for seen in causes(error) if isinstance(seen, AstromerError)), None)


def _is_closed_pipe(error: BaseException) -> bool:
    """Whether the reader of standard output went away, as ``head`` does."""
    return any(isinstance(seen, BrokenPipeError) for seen in causes(error))


def _write_traceback(error: BaseException, log: Path) -> None:
    with suppress(OSError):  # the disk may be full
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(without_secrets("".join(traceback.format_exception(error))))


@dataclass(frozen=True)
class Ending:
    """How a call ended.

    Attributes:
        exit_code: 0, or the error's.
        error: its message.
        result: what the function returned.
    """

    exit_code: int
    error: str = ""
    result: Any = None


def in_own_process(function: Callable[[T], Any], argument: T) -> Ending:
    """Calls ``function(argument)`` in a fresh process that writes to this one's terminal.

    The function, argument and result must be such as can be pickled. Errors do not get out:
    they, and a crash or a kill, are an :class:`Ending`.

    Raises:
        TrainingInterrupted: this process was asked to stop; the other has ended by then.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sender, function, argument))
    process.start()
    sender.close()
    try:
        ending: Ending | None = receiver.recv()
        process.join()
    except EOFError:
        process.join()
        ending = None
    except KeyboardInterrupt:
        # The terminal sent Ctrl-C to the other process, too.
        process.join(_GRACE)
        _stop(process)
        raise TrainingInterrupted(STOPPED_MESSAGE) from None
    except SystemExit:
        _stop(process)
        raise TrainingInterrupted(STOPPED_MESSAGE) from None
    if ending is None:
        code = process.exitcode or 1
        if code > 0:
            return Ending(code, f"its process ended with exit code {code} and no message")
        out_of_memory = -code in (signal.SIGKILL, signal.SIGABRT)
        guess = "; the usual reason is that memory ran out" if out_of_memory else ""
        return Ending(128 - code, f"its process was killed by signal {-code}{guess}")
    return ending


def _stop(process: Any) -> None:
    process.terminate()
    process.join(_GRACE)
    if process.is_alive():
        process.kill()
        process.join()


def _call(sender: Connection, function: Callable[[T], Any], argument: T) -> None:
    signal.signal(signal.SIGTERM, _raise_exit)
    try:
        ending = Ending(0, result=function(argument))
    except AstromerError as error:
        if table := getattr(error, "table", ""):
            print(table, file=sys.stderr)
        ending = Ending(error.exit_code, str(error))
    except (KeyboardInterrupt, SystemExit):
        ending = Ending(TrainingInterrupted.exit_code, "stopped")
    except Exception as error:
        known = foreseen(error) or AstromerError(f"{type(error).__name__}: {error}")
        ending = Ending(known.exit_code, str(known))
    sys.stdout.flush()
    sys.stderr.flush()
    sender.send(ending)
    sender.close()


def _raise_exit(signum: int, frame: Any) -> None:
    raise SystemExit(128 + signum)
