"""Steps of a compiled pipeline in processes that need not load TFX anew."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import runpy
import sys
from multiprocessing import forkserver
from pathlib import Path

from astromer.system.logs import silence
from pipeline.tfx_patches import postpone, quick_imports

_PRELOADS = "ASTROMER_PRELOADS"
"""Set while the fork server starts: it imports this module, which then loads the others."""

MODULES = (
    "components.anomaly_gate.component",
    "components.distribution_validator",
    "components.evaluator.component",
    "components.example_gen.executor",
    "components.pushed_version",
    "components.pusher.executor",
    "components.schema.component",
    "components.statistics.executor",
    "components.trainer.run_fn",
    "components.validator.executor",
    "tfx.components.example_validator.executor",
    "tfx.components.statistics_gen.executor",
    "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_entrypoint_utils",
    "tfx.orchestration.kubeflow.v2.file_based_example_gen.driver",
    "tfx.orchestration.portable.outputs_utils",
)
"""What the steps of a compiled pipeline need."""

_ROOT = Path(__file__).resolve().parents[2]


class ForkServer:
    """Starts the steps' commands in copies of a process that has the libraries loaded.

    Much faster than a new interpreter for each step, and less like a cluster: imports that a step
    lacks go unnoticed.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        # The server loads the libraries before it gets this process's path of modules.
        path = os.environ.get("PYTHONPATH")
        os.environ |= {
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), path))),
            _PRELOADS: "1",
        }
        try:
            forkserver.ensure_running()
        finally:
            del os.environ[_PRELOADS], os.environ["PYTHONPATH"]
            if path is not None:
                os.environ["PYTHONPATH"] = path

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


def preload() -> None:
    """Loads what the steps need."""
    silence()
    postpone("kfp")
    with quick_imports():
        for module in MODULES:
            importlib.import_module(module)


if os.environ.pop(_PRELOADS, ""):
    preload()
