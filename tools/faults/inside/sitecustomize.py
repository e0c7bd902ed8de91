"""Loaded by Python at its start, in runs of a campaign alone: tells stages, kills at operations.

The campaign puts this folder on PYTHONPATH and its wishes into the variable FAULTS_INSIDE, so that
the command line is the one that users give. *Operations* are what can leave something behind:
files that are opened for writing, renamed, removed or linked below the output folder, files that
TensorFlow writes, and calls of the metadata store, before and after each. They are counted
from the start of each stage.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

VARIABLE = "FAULTS_INSIDE"
_CHANGES = ("rename", "remove", "mkdir", "rmdir", "link", "symlink", "truncate")
_EVENTS = {f"os.{name}" for name in _CHANGES}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_GFILE = (
    "copy_v2",
    "create_dir_v2",
    "delete_file_v2",
    "delete_recursively_v2",
    "recursive_create_dir_v2",
    "rename_v2",
)


class Inside:
    """Counts operations by stage.

    Args:
        wishes: ``events``, the file descriptor that is told of each stage; ``root``, the folder
            whose files count; ``pause``, whether to stop at each stage until continued; and for a
            kill ``stage``, ``operation``, ``signal`` and ``group``.
    """

    def __init__(self, wishes: dict[str, Any]):
        self.wishes, self.stage, self.count = wishes, "", 0
        self.begin("start-up")

    def begin(self, stage: str) -> None:
        """A stage begins."""
        if stage == self.stage:
            return
        self._tell(f"{stage}\t{self.count}")
        self.stage, self.count = stage, 0
        if self.wishes.get("pause"):
            os.kill(os.getpid(), signal.SIGSTOP)

    def operation(self) -> None:
        """Something is about to be changed, or has been."""
        self.count += 1
        wishes = self.wishes
        if self.stage != wishes.get("stage") or self.count != wishes.get("operation"):
            return
        self._tell(f"struck\t{self.count}")
        if wishes["group"]:
            os.killpg(0, wishes["signal"])
        else:
            os.kill(os.getpid(), wishes["signal"])

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hears of what Python does."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and self._is_below(path):
                self.operation()
        elif event in _EVENTS and any(map(self._is_below, arguments[:2])):
            self.operation()

    def watch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Makes a call two operations: before it, and when it is done."""

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.operation()
            try:
                return function(*args, **kwargs)
            finally:
                self.operation()

        return watched

    def _is_below(self, path: Any) -> bool:
        try:
            return os.fsdecode(path).startswith(self.wishes["root"])
        except TypeError:
            return False  # a file descriptor

    def _tell(self, text: str) -> None:
        os.write(self.wishes["events"], f"{text}\n".encode())


def _console(inside: Inside, module: ModuleType) -> None:
    report = module.Report

    def before(name: str, stage: Callable[..., str]) -> None:
        function = getattr(report, name)

        @functools.wraps(function)
        def told(self: Any, *args: Any) -> Any:
            inside.begin(stage(*args))
            return function(self, *args)

        setattr(report, name, told)

    before("started", lambda name: name)
    before("close", lambda: "closing")


def _metadata_store(inside: Inside, module: ModuleType) -> None:
    store = module.MetadataStore
    store._call = inside.watch(store._call)


def _file_io(inside: Inside, module: ModuleType) -> None:
    for name in _GFILE:
        setattr(module, name, inside.watch(getattr(module, name)))
    module.FileIO.write = inside.watch(module.FileIO.write)


_CHANGED = {
    "pipeline.local.console": _console,
    "ml_metadata.metadata_store.metadata_store": _metadata_store,
    "tensorflow.python.lib.io.file_io": _file_io,
}


class _Finder(importlib.abc.MetaPathFinder):
    """Changes a module right after it is loaded."""

    def __init__(self, inside: Inside):
        self.inside = inside

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        change = _CHANGED.get(name)
        if change is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        loader: Any = spec.loader
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            change(self.inside, module)

        loader.exec_module = exec_module
        return spec


def _shift_clock(seconds: float) -> None:
    """Makes Python's time of day another one.

    Monotonic clocks, native code and ``datetime``, which is native, keep theirs.
    """
    import time

    real, real_ns, local, gm, text = (
        time.time,
        time.time_ns,
        time.localtime,
        time.gmtime,
        time.strftime,
    )
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + int(seconds * 1e9)
    time.localtime = lambda at=None: local(time.time() if at is None else at)
    time.gmtime = lambda at=None: gm(time.time() if at is None else at)
    time.strftime = lambda form, at=None: text(form, time.localtime() if at is None else at)


if wanted := os.environ.pop(VARIABLE, ""):
    _inside = Inside(json.loads(wanted))
    if shift := _inside.wishes.get("clock"):
        _shift_clock(shift)
    sys.meta_path.insert(0, _Finder(_inside))
    sys.addaudithook(_inside.audit)
