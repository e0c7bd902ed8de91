"""Steps of a compiled pipeline in processes that need not load TFX anew."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from multiprocessing import forkserver
from pathlib import Path

_PRELOAD = "pipeline.local.preload_runner"
_ROOT = Path(__file__).resolve().parents[2]


class ForkServer:
    """Starts the steps' commands in copies of a process that has the libraries loaded.

    Much faster than a new interpreter for each step, and less like a cluster: imports that a step
    lacks go unnoticed.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([_PRELOAD])
        # The server loads the libraries before it is told this process's path of modules.
        kept = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), kept)))
        try:
            forkserver.ensure_running()
        finally:
            if kept is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = kept

    def __call__(self, words: list[str], log: Path) -> int:
        """Runs ``python -m MODULE ...`` with its output in a file; returns the exit status.

        Raises:
            ValueError: for any other command.
        """
        if words[:2] != ["python", "-m"]:
            raise ValueError(f"only python -m MODULE can be forked, not {' '.join(words[:3])}")
        process = self._context.Process(target=_call, args=(words[2:], log))
        process.start()
        process.join()
        code = process.exitcode or 0
        return 128 - code if code < 0 else code


def _call(words: list[str], log: Path) -> None:
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.chdir(log.parent)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
