from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from astromer.training.report import TrainingReport

ROW = {
    "epoch": 1,
    "train_loss": 0.125,
    "val_hidden_rmse": 0.25,
    "val_hidden_r2": 0.5,
    "val_mean_hidden_rmse": 0.75,
    "val_interpolation_hidden_rmse": 0.375,
    "seconds": 61.0,
}


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    found = {}
    for path in folder.glob("events.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found[value.tag, event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_an_epoch_is_one_line_and_scalars(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = TrainingReport(tmp_path, 10)
    report.epoch(ROW, 0)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("epoch 2/10 ")
    for part in ("0.1250", "0.2500", "0.500", "0.7500", "0.3750", "61 s", "best so far"):
        assert part in line
    got = scalars(tmp_path)
    assert got == {
        (f"epoch/{name}", 2): value
        for name, value in ROW.items()
        if name not in ("epoch", "seconds")
    }


def test_waiting_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TrainingReport(tmp_path, 10).epoch(ROW, 3)
    assert "no better for 3" in capsys.readouterr().out


def test_steps_are_logged_silently(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TrainingReport(tmp_path, 10).step({"loss": 0.5, "hidden_rmse": 0.25}, 300)
    assert capsys.readouterr().out == ""
    assert scalars(tmp_path) == {("step/loss", 300): 0.5, ("step/hidden_rmse", 300): 0.25}


def test_a_worker_that_is_not_the_chief_is_silent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = TrainingReport(tmp_path / "logs", 10, silent=True)
    report.epoch(ROW, 0)
    report.step({"loss": 0.5}, 1)
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "logs").exists()
