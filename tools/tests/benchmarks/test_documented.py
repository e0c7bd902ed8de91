"""The commands of docs/performance.md, with work that takes no time.

What the parts measure is tested part by part, and how they take turns, too; here it is the way from
a documented command to its table.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import BLOCKS
from tools.benchmarks import everything, pipeline_overhead, scaling, soak_runs, soak_training
from tools.benchmarks.measuring.section import OURS, PLAIN, Section
from tools.benchmarks.sections import embedding, input_pipeline, periods, training
from tools.benchmarks.sections import scaling as scaling_sections

ROOT = Path(__file__).resolve().parents[3]
PAGE = "docs/performance.md"
pytestmark = pytest.mark.usefixtures("in_this_process")


def commands(first: str) -> list[list[str]]:
    """Options that the documented commands of a target give to its program."""
    found = []
    for block in BLOCKS:
        for line in block.text.splitlines() if block.page == PAGE else ():
            words = shlex.split(line, comments=True)
            if words[:2] == ["make", first]:
                found.append(options_of_make(words))
    return found


def options_of_make(words: list[str]) -> list[str]:
    """What make would run in the end, without its interpreter and program."""
    return shlex.split(dry_run(words)[-1])[2:]


def dry_run(words: list[str]) -> list[str]:
    """The lines of shell that make would run."""
    done = subprocess.run(
        [*words, "--dry-run", "--no-print-directory"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def light(name: str) -> Section:
    return Section({way: lambda: {name: lambda: 8.0} for way in (PLAIN, OURS)})


def test_bench(monkeypatch, capsys):
    monkeypatch.setattr(input_pipeline, "sections", lambda folder: [light("windows")])
    monkeypatch.setattr(input_pipeline, "first_batch", lambda folder, rounds: "first batch")
    monkeypatch.setattr(training, "section", lambda folder: light("train step"))
    monkeypatch.setattr(embedding, "section", lambda folder: light("embedded"))
    monkeypatch.setattr(periods, "section", lambda: light("periods"))
    documented = commands("bench")
    assert documented == [[], ["input"]]
    printed = []
    for options in documented:
        everything.main(options)
        printed.append(capsys.readouterr().out)
    assert all(name in printed[0] for name in ("windows", "train step", "embedded", "periods"))
    assert "windows" in printed[1]
    assert "train step" not in printed[1].split("\n\n")[1]


def test_bench_scaling(monkeypatch, capsys):
    asked = []

    def table(name, points, *rest):
        asked.append(name)
        return name

    monkeypatch.setattr(scaling_sections, "step_table", table)
    monkeypatch.setattr(scaling_sections, "curves_table", lambda *given: table("curves", ()))
    monkeypatch.setattr(scaling_sections, "replicas_table", lambda *given: table("replicas", ()))
    for options in commands("bench-scaling"):
        scaling.main(options)
    assert tuple(asked) == scaling.TABLES


def test_soak(tmp_path, monkeypatch, capsys):
    """Both programs, with a process that is looked at, and runs, that hold and take the same."""

    def train(folder, minutes, every):
        samples = folder / "samples.csv"
        held = (f"{i},800,18,{15 - i % 2},0,{i}" for i in range(int(minutes)))
        samples.write_text("\n".join(["seconds,anonymous,handles,threads,children,cpu", *held]))
        return samples

    def run_all(folder, runs, curves):
        return [soak_runs.Run(i, 0, 9.0, 8.0, 900.0, 0.2, 1) for i in range(runs)]

    monkeypatch.setattr(soak_training, "train", train)
    monkeypatch.setattr(soak_runs, "run_all", run_all)
    programs = {
        "tools/benchmarks/soak_training.py": soak_training,
        "tools/benchmarks/soak_runs.py": soak_runs,
    }
    for line in dry_run(["make", "soak"])[-2:]:
        _, program, *options = shlex.split(line)
        programs.pop(program).main(options)
    assert not programs
    training, runs = capsys.readouterr().out.split("100 runs, 100 of them pushed")
    assert "120 looks" in training
    assert "grows" not in training + runs


@pytest.mark.slow
def test_bench_overhead(tmp_path, monkeypatch, capsys):
    """With the built-in fold; the other documented commands differ in the fold and the rounds."""
    assert commands("bench-overhead")[-1] == ["--rounds", "3", "--fold", "records/fold_0"]
    small = ["--curves", "60", "--observations", "30", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["pipeline_overhead.py", *small])
    pipeline_overhead.main()
    printed = capsys.readouterr().out
    cold, cached = printed.split("\ncached\n")
    assert "Trainer: training" in cold
    assert "Trainer: training" not in cached
    assert "outside the Trainer" in cached
