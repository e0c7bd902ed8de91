"""Logs: libraries are silenced on the terminal, and write to the log file of a run."""

from __future__ import annotations

import contextlib
import importlib.abc
import io
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import IO, Any, BinaryIO

from astromer.system.environment import prepare_surroundings
from astromer.system.parallel import choose_kernels
from astromer.system.storage import local_folder
from astromer.system.termination import set_watchdog_log
from astromer.system.text import without_secrets

_verbose = False


def set_verbose(verbose: bool) -> None:
    """Keeps whether the user gave ``--verbose``; then :func:`silence` silences nothing."""
    global _verbose
    _verbose = verbose


def is_verbose() -> bool:
    """Whether libraries may write to the terminal."""
    return _verbose


def silence() -> None:
    """Silences start-up noise, and chooses how libraries work. To be called before they are
    imported.

    What TensorFlow's libraries write while they are loaded is dropped, and what libraries take
    from a user's surroundings is set.

    Failures still surface as Python exceptions. Settings of TensorFlow that the user made in the
    environment are kept.
    """
    choose_kernels()
    # gRPC's handlers of forks start threads in a child that is about to become another program.
    # Where Python closes their files first, the child aborts: now and then Spark's Java.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    if not _verbose:
        _silence_libraries()
    prepare_surroundings()


def _silence_libraries() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    os.environ.setdefault("GLOG_minloglevel", "2")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)  # TensorBoard
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where HOME cannot be written to
    if not any(isinstance(finder, _QuietTensorFlow) for finder in sys.meta_path):
        sys.meta_path.insert(0, _QuietTensorFlow())


class _QuietTensorFlow(importlib.abc.MetaPathFinder):
    """Loads TensorFlow with standard error closed to its libraries.

    From 2.18 on they log before they look at ``TF_CPP_MIN_LOG_LEVEL``.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_quietly(module: ModuleType) -> None:
                with quiet_stderr():
                    load(module)

            spec.loader.exec_module = load_quietly  # type: ignore[method-assign]
        return spec


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drops what libraries in other languages than Python write to standard error."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def new_log(output: Path, keep: int, process: str = "") -> Path:
    """A log file for a run that begins; the oldest ones make room for it.

    Args:
        output: the run's output folder.
        keep: number of runs whose files stay in ``logs/``, this one included. Files of a run
            differ in their suffix. Folders and other files stay.
        process: of several that share the folder; by default, the number of this one.
    """
    folder = local_folder(output) / "logs"
    runs = sorted({path.stem for path in folder.glob("????????-??????-*.log") if path.is_file()})
    for run in runs[: max(len(runs) - keep + 1, 0)]:
        for path in folder.glob(f"{run}.*"):
            with contextlib.suppress(OSError):  # another run may be doing the same
                path.unlink()
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{process or os.getpid()}.log"


@contextmanager
def redirect_output(log: Path) -> Iterator[None]:
    """Sends what libraries print and log to a file; ``sys.stdout`` and ``sys.stderr`` stay.

    C++ code and child processes write to file descriptors 1 and 2, which are redirected; Python's
    streams keep the terminal, and standard output is copied to the file. With ``--verbose`` all
    goes to the terminal and nothing to the file.
    """
    if is_verbose():
        yield
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    set_watchdog_log(log)
    with (
        _appending(log) as file,
        _descriptor_to(1, file),
        _descriptor_to(2, file),
        _logging_to(file),
    ):
        yield


@contextmanager
def _appending(log: Path) -> Iterator[IO[str]]:
    file = log.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
    try:
        yield file
    finally:
        with contextlib.suppress(OSError):  # the disk is full
            file.close()


@contextmanager
def _descriptor_to(number: int, file: IO[str]) -> Iterator[None]:
    name = {1: "stdout", 2: "stderr"}[number]
    stream = getattr(sys, name)
    stream.flush()
    terminal = os.dup(number)
    os.dup2(file.fileno(), number)
    if _writes_to(stream, number):  # that of a notebook does not
        shown = os.fdopen(os.dup(terminal), "wb")
        copy = file if name == "stdout" else None  # progress bars are not copied
        setattr(sys, name, _Shown(shown, copy, getattr(stream, "encoding", None)))
    try:
        yield
    finally:
        try:
            getattr(sys, name).flush()
        finally:
            setattr(sys, name, stream)
            os.dup2(terminal, number)
            os.close(terminal)


def _writes_to(stream: Any, number: int) -> bool:
    try:
        return bool(stream.fileno() == number)
    except (AttributeError, OSError, ValueError):
        return False


class _Shown(io.TextIOWrapper):
    """Text for the terminal, with a copy for a file."""

    def __init__(self, shown: BinaryIO, copy: IO[str] | None, encoding: str | None):
        super().__init__(shown, encoding or "utf-8", errors="backslashreplace", line_buffering=True)
        self._copy = copy

    def write(self, text: str) -> int:
        if self._copy is not None:
            with contextlib.suppress(OSError):  # the disk is full
                self._copy.write(text)
        return super().write(text)


class _Formatter(logging.Formatter):
    """Log lines without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class _Quiet(logging.StreamHandler):
    """Prints no traceback for each line that does not fit on a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


@contextmanager
def _logging_to(file: IO[str]) -> Iterator[None]:
    """Sends every logger's messages and every warning to the file only."""
    from absl import logging as absl_logging

    handler = _Quiet(file)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
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
