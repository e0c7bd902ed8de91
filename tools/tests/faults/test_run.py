"""Runs are watched from outside and killed where it was asked for: a script stands for them."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from tools.faults.kill import STOPPED_CODES, Blow, Kill
from tools.faults.run import Ended, Run

SCRIPT = """
import os, sys, time
from pathlib import Path
from astromer.commands.cli import run_program
from pipeline.local.console import Report

def main():
    root, report = Path(sys.argv[1]), Report()
    report.started("Trainer")
    for number in range(5):
        (root / f"a{number}").write_text("")
    (root.parent / "elsewhere").write_text("")  # does not count
    report.started("Pusher")
    os.rename(root / "a0", root / "b0")
    os.symlink("b0", root / "c0")
    time.sleep(float(sys.argv[2]))
    report.close()
    return 0

run_program(main)
"""


class Place:
    """Starts the script instead of the pipeline."""

    def __init__(self, folder: Path, seconds: float):
        self.folder, self.seconds = folder, seconds
        self.root = folder / "output"
        self.root.mkdir()
        (folder / "script.py").write_text(SCRIPT)

    def start(self, stage: str, **wishes) -> Run:
        command = [sys.executable, "script.py", str(self.root), str(self.seconds)]
        return Run(command, self.folder, self.root, **wishes)


def test_stages_and_operations_of_a_run(tmp_path):
    ended = Place(tmp_path, 0.2).start("").end()
    assert ended.code == 0, ended.stderr
    assert list(ended.stages) == ["start-up", "Trainer", "Pusher", "closing"]
    assert ended.operations == {"start-up": 0, "Trainer": 5, "Pusher": 2}
    assert ended.stages["closing"] - ended.stages["Pusher"] >= 0.2
    assert not ended.struck


@pytest.mark.parametrize("group", [False, True])
def test_a_kill_at_an_operation_comes_before_it(tmp_path, group):
    place = Place(tmp_path, 0)
    kill = Kill("Pusher", blows=(Blow(signal.SIGKILL, group, operation=2),))
    ended = kill.run(place, 0)
    assert ended.code == -signal.SIGKILL
    assert (place.root / "b0").exists()
    assert not (place.root / "c0").is_symlink()
    assert kill.has_struck(ended)
    assert ended.struck == ended.last_stage == "Pusher"
    assert kill.offences(ended) == []


def test_a_kill_at_a_time(tmp_path):
    kill = Kill("Pusher", blows=(Blow(signal.SIGTERM, True, seconds=0.1),))
    started = time.monotonic()
    ended = kill.run(Place(tmp_path, 60), 0)
    assert time.monotonic() - started < 30
    assert ended.code in STOPPED_CODES
    assert kill.has_struck(ended)
    assert ended.struck == "Pusher"
    assert kill.offences(ended) == []


def test_a_kill_that_comes_too_late_is_told(tmp_path):
    kill = Kill("Trainer", blows=(Blow(signal.SIGKILL, True, operation=6),))
    ended = kill.run(Place(tmp_path, 0), 0)
    assert ended.code == 0
    assert not kill.has_struck(ended)
    assert kill.offences(ended) == []


def test_a_stopped_run_must_end_as_documented():
    kill = Kill("Trainer", blows=(Blow(signal.SIGTERM, False, operation=1),))
    ended = Ended(1, "", "Traceback (most recent call last):\n", struck="Trainer")
    assert kill.offences(ended) == [
        f"a stopped run ended with 1, not {STOPPED_CODES}",
        "a stopped run ended with a traceback",
    ]
    assert kill.offences(Ended(-signal.SIGTERM, "", "", struck="closing")) == []
    silent = Ended(130, "", "", struck="Trainer")
    assert kill.offences(silent) == ["a stopped run ended without a word"]
    assert kill.offences(Ended(5, "", "")) == ["ended with 5 before it was killed"]
