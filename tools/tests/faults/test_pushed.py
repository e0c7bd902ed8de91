"""The programs that a damaged version is given to exist."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from tools.faults.pushed import PushedFlip
from tools.faults.workplace import ROOT


@pytest.mark.parametrize("program", ["embed", "verify", "finetune"])
def test_the_program_takes_its_options(place, monkeypatch, program: str) -> None:
    started: list[list[str]] = []

    def launch(command, name):
        started.append(command)
        return SimpleNamespace(end=lambda: None)

    monkeypatch.setattr(place, "launch", launch)
    fault = PushedFlip(program)
    (place.folder / "copies" / "1").mkdir(parents=True)
    fault.run(place, 0)
    [command] = started
    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: astromer {command[3]}" in done.stdout
