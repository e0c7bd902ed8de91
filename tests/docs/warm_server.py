"""Runs Python programs in copies of one process that has the libraries loaded.

Loading TensorFlow and TFX takes longer than most documented commands on little data. A command
runs as it is, in its own process, folder, environment and terminal; what makes it small is added
to its end, by :mod:`tests.docs.small`.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

LOADED = (
    "astromer.serving.embedder",
    "astromer.evaluation.evaluation",
    "astromer.serving.export",
    "astromer.records.writer",
    "astromer.training",
    "components.pushed_version",
    "pipeline.cluster.cluster_runner",
    "pipeline.local.dag_runner",
    "pipeline.finetune_pipeline",
    "pipeline.pipeline",
    "pipeline.local.fork_server",
    "pipeline.local.summary",
)


def serve(address: str, log: Path, smaller: dict[str, list[str]]) -> None:
    """Takes commands until the process ends.

    Args:
        address: of the socket.
        log: gets a line of JSON for each command: words, exit status, processor seconds.
        smaller: options to add, by program.
    """
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        print("ready", flush=True)
        while True:
            client, _ = server.accept()
            child, words = _start(client, smaller)
            threading.Thread(target=_answer, args=(client, child, words, log), daemon=True).start()


def _load() -> None:
    from astromer.system.logs import silence
    from pipeline.tfx_patches import quick_imports

    silence()
    with quick_imports():
        for module in LOADED:
            if importlib.util.find_spec(module):
                importlib.import_module(module)
        importlib.import_module("pipeline.local.fork_server").preload()


def _start(client: socket.socket, smaller: dict[str, list[str]]) -> tuple[int, list[str]]:
    _, terminal, _, _ = socket.recv_fds(client, 1, 3)
    message = json.loads(client.makefile().readline())
    words = message["words"]
    program = words[1] if words[:1] == ["-m"] else "".join(words[:1])
    if program == "astromer":
        program = " ".join(words[1:3])
    words += smaller.get(program, [])
    child = os.fork()
    if not child:
        client.close()
        _become(words, message, terminal)
    for descriptor in terminal:
        os.close(descriptor)
    return child, words


def _answer(client: socket.socket, child: int, words: list[str], log: Path) -> None:
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    with open(log, "a") as file:
        entry = {"words": words, "code": code, "cpu": used.ru_utime + used.ru_stime}
        file.write(json.dumps(entry) + "\n")
    with contextlib.suppress(OSError):  # whoever asked has been stopped
        client.sendall(f"{128 - code if code < 0 else code}\n".encode())
    client.close()


def _become(words: list[str], message: dict[str, Any], terminal: list[int]) -> None:
    code = 1
    try:
        for number, descriptor in enumerate(terminal):
            os.dup2(descriptor, number)
        sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
        sys.stderr = os.fdopen(2, "w", buffering=1)
        os.environ.clear()
        os.environ.update(message["environment"])
        os.chdir(message["cwd"])
        sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        sys.executable = str(Path(message["environment"]["WARM_FOLDER"]) / "python")
        warnings.filterwarnings("ignore", message=".*found in sys.modules after import")
        code = _run(words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _run(words: list[str]) -> int:
    if words[:1] == ["-m"]:
        sys.path.insert(0, os.getcwd())
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    elif words and words[0].endswith(".py"):
        sys.path.insert(0, str(Path(words[0]).resolve().parent))
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
    else:
        sys.path.insert(0, "")
        sys.argv = ["-", *words[1:]]
        exec(compile(sys.stdin.read(), "<documented>", "exec"), {"__name__": "__main__"})
    return 0


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]))
