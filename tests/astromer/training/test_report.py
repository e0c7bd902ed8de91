from __future__ import annotations

import pytest

from astromer.training.report import TrainingReport

ROW = {
    "epoch": 1,
    "train_loss": 0.125,
    "val_hidden_rmse": 0.25,
    "val_hidden_r2": 0.5,
    "val_mean_hidden_rmse": 0.75,
    "val_interpolation_hidden_rmse": 0.375,
    "val_harmonic_hidden_rmse": 0.3125,
    "val_harmonic_curve_hidden_rmse": 0.4375,
    "seconds": 61.0,
}


def test_an_epoch_is_one_line_below_the_baselines(capsys: pytest.CaptureFixture[str]) -> None:
    report = TrainingReport(10)
    report.epoch(ROW, 0)
    report.epoch({**ROW, "epoch": 2}, 3)
    *head, second, third = capsys.readouterr().out.splitlines()
    for part in ("0.7500", "0.3750", "0.3125"):
        assert part in " ".join(head)
    assert second.startswith("epoch 2/10 ")
    for part in ("0.1250", "0.2500", "0.500", "61 s", "best so far"):
        assert part in second
    assert third.startswith("epoch 3/10 ")
    assert "no better for 3" in third


def test_lines_fit_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    TrainingReport(100).epoch({**ROW, "epoch": 99, "val_hidden_r2": -11.5, "seconds": 9e5}, 12)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_bar_says_how_long_all_epochs_may_take() -> None:
    report = TrainingReport(10)
    assert report.title(0, []) == "epoch 1/10"
    assert report.title(2, [ROW, {**ROW, "seconds": 120.0}]) == "epoch 3/10, all in 8 min"


def test_a_worker_that_is_not_the_chief_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    TrainingReport(10, silent=True).epoch(ROW, 0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("before", "is_slower", "said"),
    [
        ("", False, []),
        ("float32, oneDNN on, EPYC", False, []),
        ("float32, oneDNN off, EPYC", False, ["oneDNN off"]),
        ("", True, ["mixed_bfloat16 is slower"]),
    ],
)
def test_other_kernels_than_before_or_slower_ones_are_said_in_a_line(
    capsys: pytest.CaptureFixture[str], before: str, is_slower: bool, said: list[str]
) -> None:
    TrainingReport(3).kernels("float32, oneDNN on, EPYC", before, is_slower)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(said)
    assert all(words in line for words, line in zip(said, lines))
