"""The soak's table, and that it goes on where it was stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astromer.system.errors import AstromerError
from tools.benchmarks import soak_runs
from tools.benchmarks.soak_runs import Run

FIRST = Run(number=0, code=0, wall=9.5, cpu=8.0, peak=900.0, database=0.3, versions=1)


def series(cpu_per_run: float) -> list[Run]:
    return [
        replace(
            FIRST,
            number=i,
            code=9 * (i % 2),
            cpu=8 + cpu_per_run * i + 0.1 * (i * 7 % 5),
            database=0.3 + 0.1 * i,
        )
        for i in range(40)
    ]


def test_flat_runs_and_a_growing_database_are_told_apart():
    lines = soak_runs.table_of(series(0.0)).splitlines()
    assert lines[0].startswith("40 runs, 20 of them pushed")
    verdicts = {line.split("  ")[0].split(" [")[0]: line.split()[-1] for line in lines[2:]}
    assert verdicts == {"wall": "flat", "CPU": "flat", "peak": "flat", "metadata": "grows"}
    assert soak_runs.table_of(series(0.05)).splitlines()[3].split()[-1] == "grows"


def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(soak_runs.subprocess, "run", lambda *given, **options: None)  # the survey

    def run_once(folder, number):
        asked.append(number)
        if number == 7:
            raise AstromerError("stopped")
        return replace(FIRST, number=number)

    monkeypatch.setattr(soak_runs, "run_once", run_once)
    with pytest.raises(AstromerError, match="stopped"):
        soak_runs.run_all(tmp_path, 12, 20)
    monkeypatch.setattr(soak_runs, "run_once", lambda folder, n: replace(FIRST, number=n))
    runs = soak_runs.run_all(tmp_path, 12, 20)
    assert asked == list(range(8))
    assert [run.number for run in runs] == list(range(12))
    assert soak_runs.read_runs(tmp_path / "runs.csv") == runs


def test_a_run_that_fails_ends_it(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(AstromerError, match=r"Run 3 must end with 0 or 9. Received: 3; .*\.log"):
        soak_runs.run_once(tmp_path, 3)
