"""One real command in a session of its own, watched from outside."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_INSIDE = Path(__file__).resolve().parent / "inside"
_VARIABLE = "FAULTS_INSIDE"
STRUCK = "struck"


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        code: exit code; that of a signal is negative.
        stdout, stderr: what it printed.
        stages: seconds from the start of the process to that of each stage that began.
        operations: how many there were in each stage that ended.
        seconds: wall-clock time.
        session: id of its session and its process group; whatever is left of it has this id.
        struck: the stage in which it was killed by the campaign; "" where it was not.
    """

    code: int
    stdout: str
    stderr: str
    stages: dict[str, float] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    session: int = 0
    struck: str = ""

    @property
    def said(self) -> str:
        """The last line on standard error."""
        return (self.stderr.strip().splitlines() or [""])[-1]

    @property
    def last_stage(self) -> str:
        """Where it was when it ended."""
        return list(self.stages)[-1] if self.stages else ""


class Run:
    """A command that has been started.

    Args:
        command: program and arguments.
        folder: its current folder; what it prints is kept in files there.
        root: folder whose changed files count as operations.
        environment: added to this process's.
        wishes: of the process: see ``inside/sitecustomize.py``.
        limits: ``resource.RLIMIT_*`` -> highest value, of the process.
        name: of the files that take what it prints; runs at once need different ones.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        root: Path,
        *,
        environment: Mapping[str, str] = {},
        wishes: Mapping[str, Any] = {},
        limits: Mapping[int, int] = {},
        name: str = "run",
    ):
        self._read, write = os.pipe()
        inside = {"events": write, "root": str(root), **wishes}
        self.stdout, self.stderr = folder / f"{name}.stdout", folder / f"{name}.stderr"

        def limited() -> None:
            for kind, most in limits.items():
                resource.setrlimit(kind, (most, most))

        with self.stdout.open("wb") as stdout, self.stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(environment) | {_VARIABLE: json.dumps(inside)},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(write,),
                start_new_session=True,
                preexec_fn=limited if limits else None,
            )
        os.close(write)
        self.started = time.monotonic()
        self.stages: dict[str, float] = {}
        self.operations: dict[str, int] = {}
        self.struck = ""
        self._rest = b""

    @property
    def stage(self) -> str:
        """The stage that began last."""
        return list(self.stages)[-1] if self.stages else ""

    def listen(self, until: float | None = None) -> bool:
        """Waits for news of the process, at most until a moment of the monotonic clock.

        Returns:
            False when there will be no more: the process has ended.
        """
        while b"\n" not in self._rest:
            left = None if until is None else max(until - time.monotonic(), 0)
            if not select.select([self._read], [], [], left)[0]:
                return True
            news = os.read(self._read, 1 << 16)
            if not news:
                return False
            self._rest += news
        line, self._rest = self._rest.split(b"\n", 1)
        name, count = line.decode().split("\t")
        if name == STRUCK:
            self.struck = self.stage
            return True
        if self.stage:
            self.operations[self.stage] = int(count)
        self.stages[name] = time.monotonic() - self.started
        return True

    def wait_for(self, stage: str) -> bool:
        """Waits until a stage begins; False where the process ended before it."""
        while stage not in self.stages:
            if not self.listen():
                return False
        return True

    def send(self, number: int, group: bool = False) -> None:
        """Sends a signal to the process, or its whole group; none where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, number)
            self.struck = self.stage

    def go_on(self) -> None:
        """Lets a run go on that has paused."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGCONT)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *raised: object) -> None:
        """Leaves no process behind where the campaign itself is stopped."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self, timeout: float = 600.0) -> Ended:
        """Waits for its end; a process that hangs is killed, and has the code of that."""
        deadline = time.monotonic() + timeout
        while self.listen(deadline):
            if time.monotonic() >= deadline:
                break
        try:
            code = self.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        os.close(self._read)
        return Ended(
            code,
            self.stdout.read_text(encoding="utf-8", errors="replace"),
            self.stderr.read_text(encoding="utf-8", errors="replace"),
            self.stages,
            self.operations,
            time.monotonic() - self.started,
            self.process.pid,
            self.struck,
        )


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    root = _INSIDE.parents[2]
    paths = [str(_INSIDE), str(root), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **added}


Strike = Callable[[Run], None]
"""Does something to a run that has been started."""
