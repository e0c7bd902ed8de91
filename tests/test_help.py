"""Every program answers --help at once, before anything heavy is loaded."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from astromer.__main__ import PROGRAMS as COMMANDS

ROOT = Path(__file__).resolve().parents[1]

PROGRAMS = [
    pytest.param(["pipeline/local_runner.py"], id="local_runner"),
    pytest.param(["pipeline/finetune_runner.py"], id="finetune_runner"),
    pytest.param(["pipeline/kubeflow_runner.py"], id="kubeflow_runner"),
    pytest.param(["pipeline/spec_runner.py"], id="spec_runner"),
    pytest.param(["pipeline/vertex_runner.py"], id="vertex_runner"),
    pytest.param(["tools/faults/campaign.py"], id="tools.faults.campaign"),
    *(
        pytest.param([f"tools/benchmarks/{name}.py"], id=f"benchmarks.{name}")
        for name in (
            "beam_runners",
            "embed_on_beam",
            "embedding",
            "everything",
            "pipeline_overhead",
            "scaling",
            "soak_runs",
            "soak_training",
            "validation",
        )
    ),
    *(
        pytest.param([f"tools/fuzzing/{name}.py"], id=f"fuzzing.{name}")
        for name in ("reproduce", "run")
    ),
    *(pytest.param(["-m", "astromer", name], id=f"astromer {name}") for name in COMMANDS),
    *(
        pytest.param(["-m", module], id=module)
        for module in (
            "pipeline.task_runner",
            "presentation.scripts.disttrain",
            "presentation.scripts.pretrain",
        )
    ),
]
HEAVY = ("tensorflow", "keras", "tfx", "apache_beam", "pyarrow", "pandas", "kfp", "google")


def answer(arguments: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, *arguments, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", PROGRAMS)
def test_help_answers_in_under_a_second(arguments):
    seconds = []
    # The best of three: the first start on a cold disk, or a busy machine, says little.
    while len(seconds) < 3 and min(seconds, default=1.0) >= 1.0:
        start = time.perf_counter()
        done = answer(arguments)
        seconds.append(time.perf_counter() - start)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("usage: ")
        assert done.stderr == ""
    assert min(seconds) < 1.0


@pytest.mark.parametrize("arguments", PROGRAMS)
def test_help_loads_nothing_heavy(arguments):
    imported = {
        line.rsplit("|", 1)[1].strip().split(".")[0]
        for line in answer(arguments, "-X", "importtime").stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "argparse" in imported
    assert sorted(imported.intersection(HEAVY)) == []


@pytest.mark.parametrize("arguments", PROGRAMS)
def test_an_unknown_option_is_one_line_and_exit_code_2(arguments):
    done = subprocess.run(
        [sys.executable, *arguments, "--no-such-option"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
