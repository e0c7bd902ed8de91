"""Calls a function in a new process, from which nothing but its result comes back."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from astromer.system.errors import AstromerError, TrainingInterrupted, refusal

T = TypeVar("T")
_GRACE = 60.0
"""Seconds to save its state for a process that is stopped."""


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
        raise TrainingInterrupted("stopped. The same command goes on from here.") from None
    except SystemExit:
        _stop(process)
        raise TrainingInterrupted("stopped. The same command goes on from here.") from None
    if ending is None:
        code = process.exitcode or 1
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return Ending(
            128 - code if code < 0 else code, f"its process {how} without a word{_guess(code)}"
        )
    return ending


def _guess(code: int) -> str:
    """What is mostly behind a process that could not tell it."""
    return "; mostly memory has run out" if -code in (signal.SIGKILL, signal.SIGABRT) else ""


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
        if (refused := refusal(error)) is not None:
            ending = Ending(refused.exit_code, str(refused))
        else:
            ending = Ending(AstromerError.exit_code, f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    sys.stderr.flush()
    sender.send(ending)
    sender.close()


def _raise_exit(signum: int, frame: Any) -> None:
    raise SystemExit(128 + signum)
