"""The runner: its options, what it adds up, and one short run of one target."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from astromer.system.errors import AstromerError, RecordError, UsageError
from tools.fuzzing.choices import Choices
from tools.fuzzing.counter import Counter, read_counter
from tools.fuzzing.results import Result, crashes, read_results, table, write_results
from tools.fuzzing.run import ROOT, parse
from tools.fuzzing.target import LONGEST_MESSAGE, BrokenProperty, allowed
from tools.fuzzing.targets import NAMES


def test_targets_run_in_one_order_and_others_are_refused() -> None:
    assert parse([]).target == list(NAMES)
    assert parse(["--target", "state", "framing"]).target == ["framing", "state"]
    with pytest.raises(UsageError, match="nothing"):
        parse(["--target", "nothing"])
    with pytest.raises(UsageError, match="--minutes must be above 0"):
        parse(["--minutes", "0"])


def test_executions_of_several_runs_add_up(tmp_path: Path) -> None:
    for executions in (100, 50):
        results = read_results(tmp_path)
        log = "#12 NEW cov: 7 ft: 9 corp: 3/4b\n#99 DONE cov: 8 ft: 9 corp: 4/9b"
        results.setdefault("state", Result()).add(executions, 2.0, log)
        write_results(tmp_path, results)
    assert read_results(tmp_path)["state"] == Result(150, 4.0, coverage=8, corpus=4, runs=2)
    found = tmp_path / "crashes" / "state" / "ValueError-npz-1-abc"
    found.parent.mkdir(parents=True)
    found.write_bytes(b"x")
    found.with_name(found.name + ".txt").write_text("Traceback")
    assert crashes(tmp_path, "state") == [found]
    line = next(line for line in table(tmp_path, ("state",)).splitlines() if "state" in line)
    assert line.split() == ["state", "150", "38", "8", "4", "1"]


def test_the_count_survives_the_process(tmp_path: Path) -> None:
    counter = Counter(tmp_path / "count")
    for _ in range(3):
        counter.add()
    assert read_counter(tmp_path / "count") == 3
    assert read_counter(tmp_path / "none") == 0


def test_what_a_refusal_must_say() -> None:
    def refused(error: Exception):
        def action() -> None:
            raise error

        return action

    assert allowed(lambda: 7) == 7
    assert allowed(refused(RecordError("a.record is damaged")), "a.record") is None
    for error, said in (
        (RecordError("it is damaged"), "names none of"),
        (RecordError("a.record" * LONGEST_MESSAGE), "characters"),
        (AstromerError("a.record"), "not documented"),
    ):
        with pytest.raises(BrokenProperty, match=said):
            allowed(refused(error), "a.record")
    with pytest.raises(KeyError):
        allowed(refused(KeyError("a.record")), "a.record")


def test_choices_end_with_zeros() -> None:
    choices = Choices(b"\5\1ab")
    assert (choices.below(4), choices.truth(), choices.rest()) == (1, True, b"ab")
    assert (choices.below(9), choices.truth(), choices.text(), choices.integer()) == (0, 0, "", 0)
    assert choices.number() == 0.0


@pytest.mark.slow
def test_a_run_from_the_command_line(tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    ended = subprocess.run(
        [
            *(sys.executable, "tools/fuzzing/run.py", "--minutes", "0.05", "--target", "cluster"),
            *("--seed", "1", "--folder", str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = read_results(tmp_path)["cluster"]
    assert result.executions > 100
    assert result.coverage > 20, "nothing is instrumented"
    assert "cluster: 0 crash(es)" in ended.stdout
    again = subprocess.run(
        [sys.executable, "tools/fuzzing/reproduce.py", "cluster", str(tmp_path / "results.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert again.returncode == 0
    assert "the property holds" in again.stdout
