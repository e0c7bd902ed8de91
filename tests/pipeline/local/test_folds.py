"""The pipeline on several folds: which ones, what is told, and what becomes of failures."""

from __future__ import annotations

import importlib
import json
import shutil
import statistics
import sys
from pathlib import Path

import pytest

from astromer.serving.versions.folder import versions
from astromer.system.errors import AstromerError, DataNotFoundError, RecordError, UsageError
from astromer.validation.config import ValidationConfig
from pipeline.local.failures import in_own_process
from pipeline.local.folds import FoldResult, find_folds, mean_and_spread, run_folds, to_table
from pipeline_config import PipelineConfig
from tests.pipeline.folds import write_fold

SCORES = {"hidden_rmse": 0.2, "hidden_r2": 0.5}
SCORES |= {"mean_hidden_rmse": 0.4, "interpolation_hidden_rmse": 0.3}
SCORES |= {"harmonic_hidden_rmse": 0.25, "harmonic_curve_hidden_rmse": 0.26}
QUIET = ValidationConfig(shared_test_star="off")


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """A new process imports what it is to call, from a folder on the path."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def planned(folder: Path, *plans: str) -> PipelineConfig:
    for number, plan in enumerate(plans):
        (folder / "data" / f"fold_{number}").mkdir(parents=True)
        (folder / "data" / f"fold_{number}" / "plan").write_text(plan)
    return PipelineConfig(str(folder / "data"), str(folder / "out"), validation=QUIET)


def run(config: PipelineConfig, choice: str = "all") -> int:
    stand_in = importlib.import_module("stand_in_run")
    return run_folds(
        stand_in.run, config, choice, ["--data", config.data, "--output", config.output]
    )


def test_each_fold_runs_and_mean_and_spread_are_told(tmp_path, capfd):
    config = planned(tmp_path, "0.1", "0.2", "0.4")
    assert run(config) == 0
    said = capfd.readouterr().out
    assert "fold_1 (2 of 3)" in said
    assert len({line.split()[-1] for line in said.splitlines() if line.startswith("ran")}) == 3
    told = json.loads((tmp_path / "out" / "folds.json").read_text())
    values = [0.1, 0.2, 0.4]
    assert [fold["scores"]["hidden_rmse"] for fold in told["folds"]] == values
    assert told["mean"]["hidden_rmse"] == pytest.approx(statistics.mean(values))
    spread = told["sample_standard_deviation"]["hidden_rmse"]
    assert spread == pytest.approx(statistics.stdev(values))
    assert f"{spread:16.4f}" in said


@pytest.mark.parametrize(
    ("plan", "code", "error"),
    [
        ("bad", RecordError.exit_code, "record 3 is broken"),
        ("killed", 137, "its process was killed by signal 9"),
        ("bug", 1, "ZeroDivisionError: unforeseen"),
    ],
)
def test_a_fold_that_fails_is_told_and_the_others_run(tmp_path, capfd, plan, code, error):
    config = planned(tmp_path, "0.1", plan, "0.3")
    with pytest.raises(AstromerError, match=f"1 of 3 folds failed. fold_1: {error}") as caught:
        run(config)
    assert caught.value.exit_code == code
    captured = capfd.readouterr()
    assert f"error: fold_1: {error}" in captured.err
    assert f"failed: {error}" in captured.out
    told = json.loads((tmp_path / "out" / "folds.json").read_text())
    assert [fold["exit_code"] for fold in told["folds"]] == [0, code, 0]
    assert told["mean"]["hidden_rmse"] == pytest.approx(0.2)


def test_one_fold_can_be_picked(tmp_path, capfd):
    config = planned(tmp_path, "0.1", "0.2", "0.3")
    assert run(config, "1") == 0
    assert "ran fold_1" in capfd.readouterr().out
    assert sorted(p.name for p in (tmp_path / "out").glob("fold_*")) == ["fold_1"]


def test_scores_of_an_earlier_run_do_not_stand_in_for_a_failed_one(tmp_path, capfd):
    config = planned(tmp_path, "0.1", "bad")
    (tmp_path / "out" / "fold_1").mkdir(parents=True)
    (tmp_path / "out" / "fold_1" / "outcome.json").write_text(json.dumps({"scores": SCORES}))
    with pytest.raises(AstromerError):
        run(config)
    told = json.loads((tmp_path / "out" / "folds.json").read_text())
    assert told["folds"][1]["scores"] == {}


def test_folds_are_found_in_their_natural_order(tmp_path):
    for number in (10, 2, 0):
        (tmp_path / f"fold_{number}").mkdir()
    names = [path.name for path in find_folds(str(tmp_path), "all")]
    assert names == ["fold_0", "fold_2", "fold_10"]
    assert [path.name for path in find_folds(str(tmp_path), "2")] == ["fold_2"]
    with pytest.raises(DataNotFoundError, match="--fold 3: .* has fold_0, fold_2, fold_10"):
        find_folds(str(tmp_path), "3")
    with pytest.raises(UsageError, match="must be all or the number"):
        find_folds(str(tmp_path), "first")
    (tmp_path / "fold_0" / "train").mkdir()
    with pytest.raises(UsageError, match="is one fold: leave --fold out"):
        find_folds(str(tmp_path / "fold_0"), "all")


def test_one_evaluated_fold_has_no_spread():
    results = [FoldResult("fold_0", 0, "", SCORES), FoldResult("fold_1", 9, "not blessed", {})]
    mean, spread = mean_and_spread(results)
    assert mean["hidden_r2"] == 0.5
    assert spread == {}
    assert "std. dev." not in to_table(results)
    assert to_table([FoldResult("fold_0", 4, "broken", {})]).count("\n") == 1


def test_a_star_tested_on_twice_is_told(tmp_path, capfd):
    for number in range(2):
        write_fold(tmp_path / "data" / f"fold_{number}")
        (tmp_path / "data" / f"fold_{number}" / "plan").write_text("0.1")
    config = PipelineConfig(str(tmp_path / "data"), str(tmp_path / "out"))
    assert run(config) == 0
    assert "warning: 12 shared_test_star. The first:" in capfd.readouterr().out


def test_what_a_call_returns_comes_back(tmp_path):
    assert in_own_process(str.upper, "a").result == "A"
    assert in_own_process(sys.exit, 3).exit_code == 130


@pytest.mark.slow
def test_the_pipeline_pre_trains_on_each_fold(tmp_path, toy):
    for number in range(2):
        write_fold(tmp_path / "data" / f"fold_{number}")
    shutil.rmtree(tmp_path / "data" / "fold_1" / "test")
    tiny = ["--hidden=8", "--n-heads=2", "--n-layers=1", "--window=20", "--bs=16", "--epochs=1"]
    tiny += ["--debug", "--no-report"]
    command = ["pipeline/local_runner.py", "--data", str(tmp_path / "data"), "--fold", "all"]
    done = toy.python(*command, "--output", str(tmp_path / "out"), *tiny)
    assert done.returncode == DataNotFoundError.exit_code, done.stderr
    assert "error: 1 of 2 folds failed. fold_1: the fold" in done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads((tmp_path / "out" / "folds.json").read_text())
    assert told["folds"][0]["exit_code"] == 0
    assert told["mean"]["hidden_rmse"] > 0
    assert len(versions(tmp_path / "out/fold_0/serving/astromer")) == 1
    again = toy.python(*command, "--output", str(tmp_path / "out"), *tiny)
    assert "Trainer                 cached" in again.stdout
