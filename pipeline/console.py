"""What the terminal shows of a run, and the log file for everything else."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol


class Step(Protocol):
    """One component's part in a run."""

    name: str
    cached: bool
    seconds: float


class Report:
    """One line for each component: its name, then its time or where its result came from."""

    _WITH_PROGRESS_BARS = ("Trainer", "Evaluator", "Finetuner")

    def __init__(self) -> None:
        self._open = False

    def say(self, text: str) -> None:
        """Prints some text."""
        print(text, flush=True)

    def started(self, name: str) -> None:
        """A component begins."""
        if name in self._WITH_PROGRESS_BARS:
            return  # their bars would be written into an unfinished line
        print(f"{name:23} ", end="", flush=True)
        self._open = True

    def ended(self, step: Step) -> None:
        """A component has ended well."""
        if not self._open:
            print(f"{step.name:23} ", end="")
        print("cached" if step.cached else f"{step.seconds:.1f} s", flush=True)
        self._open = False

    def close(self) -> None:
        """Ends a line that an error has cut short."""
        if self._open:
            print("failed", flush=True)
        self._open = False


@contextmanager
def noise_to(log: Path) -> Iterator[None]:
    """Sends what libraries print and log to a file, while ``sys.stdout`` and ``stderr`` stay.

    C++ code and child processes write to file descriptors 1 and 2, which are pointed at the
    file; Python's own streams keep the terminal, so that progress bars and results show.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        open(log, "a", buffering=1, encoding="utf-8", errors="backslashreplace") as file,
        _descriptor_to(1, file),
        _descriptor_to(2, file),
        _logging_to(file),
    ):
        yield


@contextmanager
def _descriptor_to(number: int, file: IO[str]) -> Iterator[None]:
    name = {1: "stdout", 2: "stderr"}[number]
    stream = getattr(sys, name)
    stream.flush()
    terminal = os.dup(number)
    os.dup2(file.fileno(), number)
    setattr(sys, name, os.fdopen(os.dup(terminal), "w", buffering=1))
    try:
        yield
    finally:
        getattr(sys, name).flush()
        setattr(sys, name, stream)
        os.dup2(terminal, number)
        os.close(terminal)


@contextmanager
def _logging_to(file: IO[str]) -> Iterator[None]:
    """Every logger's messages and every warning go to the file alone."""
    from absl import logging as absl_logging

    handler = logging.StreamHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    # absl's own handler would write to sys.stderr; TensorFlow adds one of its own, too.
    absl_logging.use_absl_handler()
    kept, root.handlers = root.handlers, [handler]
    level = root.level
    root.setLevel(logging.INFO)
    tensorflow = logging.getLogger("tensorflow")
    tensorflow_handlers, tensorflow.handlers = tensorflow.handlers, []
    tensorflow.propagate = True
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers, tensorflow.handlers = kept, tensorflow_handlers
        root.setLevel(level)
