"""Mistakes are answered in a moment, in one line, with a code of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import local_runner

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "pipeline" / "local_runner.py"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUNNER), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


def run_within(seconds: float, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs up to three times, as a start beside other work says little; one must be quick."""
    taken: list[float] = []
    while len(taken) < 3 and min(taken, default=seconds) >= seconds:
        started = time.monotonic()
        done = run(*arguments, cwd=cwd)
        taken.append(time.monotonic() - started)
    assert min(taken) < seconds
    return done


def test_help_names_every_documented_option_at_once(tmp_path):
    done = run_within(1, "--help", cwd=tmp_path)

    assert done.returncode == 0
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
    done = run_within(2, *arguments, cwd=tmp_path)

    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_installed_command_speaks_of_itself(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/opt/venv/bin/astromer-pipeline"])
    with pytest.raises(SystemExit):
        local_runner.parse([])
    assert capsys.readouterr().err.endswith("See astromer-pipeline --help.\n")


@pytest.mark.slow
def test_training_has_a_core_for_each_pass():
    """Modules that use TensorFlow when imported would keep it from being told so."""
    code = (
        "from pipeline.local_runner import _make_devices\n"
        "from pipeline.tfx_patches import quick_imports\n"
        "with quick_imports():\n"
        "    import pipeline.local.dag_runner, pipeline.pipeline\n"
        "_make_devices(0)\n"
        "from astromer.system.parallel import cores, micro_batches_at_once\n"
        "print(micro_batches_at_once() - cores())\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_NUM_INTRAOP_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1:] == ["0"], done.stderr
