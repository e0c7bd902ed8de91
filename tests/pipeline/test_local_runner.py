"""Mistakes are answered in a moment, in one line, with a code of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "pipeline" / "local_runner.py"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUNNER), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


def test_help_names_every_documented_option_at_once(tmp_path):
    seconds = []
    # The best of three: a start beside other work says little.
    while len(seconds) < 3 and min(seconds, default=1.0) >= 1:
        started = time.monotonic()
        done = run("--help", cwd=tmp_path)
        seconds.append(time.monotonic() - started)

    assert done.returncode == 0
    assert min(seconds) < 1
    documented = "data output model hidden d-model n-heads n-layers dropout epochs bs lr patience "
    for option in (documented + "log-every seed norm debug").split():
        assert f"--{option} " in done.stdout or f"--{option}\n" in done.stdout, option


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--data"),
        (("--data", "x", "--hidden", "63"), 2, "--hidden"),
        (("--data", "x", "--epochs", "0"), 2, "--epochs"),
        (("--data", "x", "--lr", "fast"), 2, "--lr"),
        (("--data", "x", "--model", "astromer_v9"), 2, "astromer_v9"),
        (("--data", "x", "--epoch", "3"), 2, "--epoch"),
        (("--data", "x", "--output", "a*"), 2, "--output"),
        (("--data", "nowhere"), 3, "nowhere"),
    ],
)
def test_mistakes_on_the_command_line(tmp_path, arguments, code, said):
    started = time.monotonic()
    done = run(*arguments, cwd=tmp_path)

    assert time.monotonic() - started < 2
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []
