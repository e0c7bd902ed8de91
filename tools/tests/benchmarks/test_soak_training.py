"""The soak's table, and a training that is looked at for some seconds."""

from __future__ import annotations

import csv

import pytest

from astromer.system.errors import AstromerError, DataNotFoundError
from tools.benchmarks import soak_training
from tools.benchmarks.measuring.resources import Held


def write(path, looks):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(list(Held.__dataclass_fields__))
        writer.writerows(looks)
    return path


def test_the_start_does_not_count_and_what_grows_is_told(tmp_path):
    start = [[i, 100.0 + 9 * i, 10 + i, 4, 0, i] for i in range(100)]
    then = [[i, 1000.0, 18 + i // 40, 15 + i % 2, 0, 2 * i] for i in range(100, 400)]
    table = soak_training.table_of(write(tmp_path / "samples.csv", start + then), 0.25)
    summary, _, memory, handles, threads = table.splitlines()
    assert summary.startswith("400 looks in 7 min, 13 min of processor time")
    assert memory.split()[-1] == threads.split()[-1] == "flat"
    assert handles.split()[-1] == "grows"


def test_too_few_looks_are_refused(tmp_path):
    samples = write(tmp_path / "samples.csv", [[i, 1, 1, 1, 0, 1] for i in range(20)])
    with pytest.raises(DataNotFoundError, match="Received: 15 in .*--minutes"):
        soak_training.table_of(samples, 0.25)
    with pytest.raises(DataNotFoundError, match="which is no file"):
        soak_training.table_of(tmp_path / "none.csv", 0.25)


def test_a_training_that_ends_by_itself_is_no_soak(tmp_path, monkeypatch):
    monkeypatch.setattr(soak_training, "_NETWORK", "--epochs 0")
    with pytest.raises(AstromerError, match=r"ended by itself; .*training\.log says why"):
        soak_training.train(tmp_path, minutes=1, every=0.2)
    assert "must be" in (tmp_path / "training.log").read_text()


def test_a_training_is_looked_at_and_interrupted(tmp_path):
    samples = soak_training.train(tmp_path, minutes=0.1, every=0.1)
    assert "memory [MiB/hour]" in soak_training.table_of(samples, 0.0)
