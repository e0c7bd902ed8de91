"""The folder that trials happen in: data, an output folder, and snapshots of both.

The metadata store keeps absolute paths, so that a snapshot is put back where it was taken.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.faults.outcome import read_outcome
from tools.faults.profile import Profile
from tools.faults.run import Run
from tools.faults.shape import shape_of
from tools.faults.stages import AFTER_PUSH, REPORTER, START

ROOT = Path(__file__).resolve().parents[2]
_NETWORK = (
    "--model=astromer_v2",
    "--n-layers=1",
    "--hidden=16",
    "--n-heads=2",
    "--ffn=16",
    "--bs=8",
    "--window=50",
    "--debug",  # so little training may end worse than the mean of the window, and is pushed
)
_CURVES = 60


class Workplace:
    """One of them; trials at once need one each.

    Args:
        folder: made by :meth:`make`. The paths below it must stay.
    """

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.output = self.folder / "output"
        self.serving = self.output / "serving" / "astromer"
        self.database = self.output / "metadata" / "metadata.sqlite"
        self._kept = self.folder / "kept"
        self._lock = self.folder / "restoring"
        self._profile = self.folder / "profile.json"

    def command(self, stage: str = REPORTER, extra: Sequence[str] = ()) -> list[str]:
        """The command of a trial that is aimed at a stage; the same one for all its runs.

        The run report, a third of a run, is made where it is what is aimed at.
        """
        options = [*_NETWORK, "--epochs=2"]
        if stage not in AFTER_PUSH:
            options.append("--no-report")
        return self._command(self.data / "second" / "fold_0", [*options, *extra])

    def _command(self, fold: Path, options: Sequence[str]) -> list[str]:
        runner = ROOT / "pipeline" / "local_runner.py"
        data, output = ["--data", str(fold)], ["--output", str(self.output)]
        return [sys.executable, str(runner), *data, *output, *options]

    def start(
        self,
        stage: str = REPORTER,
        *,
        extra: Sequence[str] = (),
        environment: Mapping[str, str] = {},
        wishes: Mapping[str, Any] = {},
        limits: Mapping[int, int] = {},
        name: str = "run",
    ) -> Run:
        """Starts the command; see :class:`~tools.faults.run.Run` for the arguments."""
        return Run(
            self.command(stage, extra),
            self.folder,
            self.output,
            environment=environment,
            wishes=wishes,
            limits=limits,
            name=name,
        )

    def launch(self, command: Sequence[str], name: str) -> Run:
        """Starts another program beside it."""
        return Run(command, self.folder, self.output, name=name)

    def made_before(self, stage: str) -> list[str]:
        """Folders of artifacts that this command had made when a stage began, from the output."""
        there, first = (
            {path.relative_to(kept).as_posix() for path in kept.glob("pipeline/*/*/[0-9]*")}
            for kept in (self._kept / stage, self._kept / START)
        )
        return sorted(there - first)

    def make(self) -> Profile:
        """Makes data, a first pushed version and the snapshots; returns what a run takes.

        The first version is of another survey, so that the second run has every component at work,
        and a model before it to be compared with. Does nothing where all of it is there.

        Raises:
            SystemExit: a run has failed without any fault.
        """
        if self._profile.exists():
            return Profile.read(self._profile)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for seed, name in ((1, "first"), (2, "second")):
            self._synthesise(self.data / name, seed)
        first = self._command(self.data / "first" / "fold_0", [*_NETWORK, "--epochs=1"])
        with Run(first, self.folder, self.output, name="first") as run:
            ended = run.end()
        if ended.code:
            raise SystemExit(f"the first run failed:\n{ended.stdout}{ended.stderr}")
        self._keep(START)
        shutil.copytree(self.data, self._kept / "data")
        profile = self._measure()
        profile.write(self._profile)
        return profile

    def _synthesise(self, folder: Path, seed: int) -> None:
        options = ["--output", str(folder), "--curves", str(_CURVES), "--seed", str(seed)]
        command = [sys.executable, "-m", "astromer", "synthetic", *options]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        environment = {**os.environ, "PYTHONPATH": path}
        subprocess.run(command, check=True, cwd=self.folder, env=environment, capture_output=True)

    def _measure(self) -> Profile:
        """Runs the command and stops it at the start of each stage to take a snapshot."""
        with self.start(wishes={"pause": True}) as run:
            seconds = self._follow(run)
            ended = run.end()
        if ended.code:
            raise SystemExit(f"a run without faults failed:\n{ended.stdout}{ended.stderr}")
        return Profile(
            seconds,
            ended.operations,
            read_outcome(self.output, self.serving),
            shape_of(self.output),
        )

    @staticmethod
    def wait_until_stopped(run: Run) -> None:
        """Waits for a run that pauses at the start of each stage."""
        stat = Path(f"/proc/{run.process.pid}/stat")
        while stat.read_text().rsplit(")", 1)[1].split()[0] not in "TZX":
            time.sleep(0.001)

    def _follow(self, run: Run) -> dict[str, float]:
        seconds: dict[str, float] = {}
        stage, began = "", 0.0
        while run.listen():
            if run.stage == stage:
                continue
            if stage:
                seconds[stage] = time.monotonic() - began
            stage = run.stage
            self.wait_until_stopped(run)
            if stage != START:
                self._keep(stage)
            began = time.monotonic()
            run.go_on()
        return {**seconds, stage: time.monotonic() - began}

    def _keep(self, stage: str) -> None:
        shutil.copytree(self.output, self._kept / stage, symlinks=True)

    def restore(self, stage: str) -> None:
        """Puts data and output back as they were when a stage began.

        Whoever looks at the versions meanwhile must hold :meth:`looking`: what changes here is
        not changed by the product.
        """
        with self._locked(fcntl.LOCK_EX):
            for folder, kept in ((self.data, "data"), (self.output, stage)):
                _make_writable(folder)
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(self._kept / kept, folder, symlinks=True)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """While this is held nobody looks at what is served."""
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While this is held nothing is restored."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with self._lock.open("a") as file:
            fcntl.flock(file, how)
            yield

    def training_state(self) -> Path | None:
        """The saved state of the training of the command's, where there is one."""
        before = {path.name for path in (self._kept / START / "training").iterdir()}
        states = self.output.glob("training/*/checkpoints/state.npz")
        return next((path for path in states if path.parents[1].name not in before), None)


def _make_writable(folder: Path) -> None:
    for path, folders, _ in os.walk(folder):
        for name in ("", *folders):
            place = os.path.join(path, name)
            if not os.path.islink(place):
                os.chmod(place, 0o755)
