"""A stand-in for the Java program by which Beam's runners hand their jobs to a cluster.

It is Beam's own job service, in Python: it takes the same calls, and has workers do the work, by
way of docker where the job asks for an image. What a cluster makes of a job it cannot show.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class JobServer:
    """The program, and a docker whose images all hold this machine's environment.

    A context manager.

    Args:
        folder: for both, and for what they are asked.

    Attributes:
        jar: what Beam is to give to Java.
        java: what Beam is to take for Java.
        programs: a folder with docker in it.
        master: a port of this machine where a cluster seems to be.
    """

    def __init__(self, folder: Path):
        self._cluster = socket.create_server(("127.0.0.1", 0))
        self.master = self._cluster.getsockname()[1]
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.jar = folder / "job-server.jar"
        self.jar.touch()
        self._called = folder / "called"
        self._called.touch()
        self._containers = folder / "containers"
        self._containers.mkdir()
        self.java = self._program(folder / "java", _JAVA)
        self._program(self.programs / "docker", _DOCKER)

    def _program(self, program: Path, script: str) -> Path:
        values = {
            "called": self._called,
            "containers": self._containers,
            "python": sys.executable,
            "root": ROOT,
        }
        known = [f"{name}={shlex.quote(str(value))}" for name, value in values.items()]
        program.write_text("\n".join(["#!/bin/sh", *known, script]))
        program.chmod(0o755)
        return program

    def asked(self, words: str) -> list[str]:
        """The calls that begin with such words."""
        return [line for line in self._called.read_text().splitlines() if line.startswith(words)]

    def __enter__(self) -> JobServer:
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the workers that are left."""
        self._cluster.close()
        for container in self._containers.glob("*.log"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(container.stem), signal.SIGKILL)


_JAVA = """
echo "java $*" >> "$called"
PYTHONPATH="$root" exec "$python" -m tests.standins.job_server "$@"
"""

_DOCKER = """
echo "docker $*" >> "$called"
case "$1" in
pull) ;;
run)
    PYTHONPATH="$root" "$python" -m tests.standins.beam_worker "$@" \\
        > "$containers/new" 2>&1 < /dev/null &
    mv "$containers/new" "$containers/$!.log"
    echo $! ;;
inspect) if kill -0 "$4" 2> /dev/null; then echo running; else echo exited; fi ;;
kill) kill "$2" ;;
container) shift $(($# - 1)); cat "$containers/$1.log" ;;
*) exit 64 ;;
esac
"""


def main() -> None:
    """Takes jobs until it is ended."""
    from apache_beam.runners.portability.local_job_service import LocalJobServicer

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-jar", required=True)
    cluster = parser.add_mutually_exclusive_group(required=True)
    cluster.add_argument("--flink-master")
    cluster.add_argument("--spark-master-url")
    for port in ("job", "artifact", "expansion"):
        parser.add_argument(f"--{port}-port", type=int, required=True)
    parser.add_argument("--artifacts-dir", required=True)
    args = parser.parse_args()
    servicer = LocalJobServicer(args.artifacts_dir)
    servicer.start_grpc_server(args.job_port)
    signal.pause()


if __name__ == "__main__":
    main()
