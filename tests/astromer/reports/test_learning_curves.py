from __future__ import annotations

from astromer.reports.scores import (
    TrainingHistory,
    draw_learning_curves,
    read_training_history,
)
from astromer.training.report import COURSE
from astromer.training.tensorboard.log import RunLog

ROW = {
    "train_loss": 0.5,
    "val_hidden_rmse": 0.4,
    "val_hidden_r2": 0.1,
    "val_mean_hidden_rmse": 0.5,
    "val_interpolation_hidden_rmse": 0.45,
    "seconds": 1.0,
}


def test_logs_of_all_parts_are_read_and_the_places_between_them(tmp_path) -> None:
    epochs = iter(range(4))
    for part in (2, 1, 1):
        log = RunLog(tmp_path)
        for _ in range(part):
            epoch = next(epochs)
            log.epoch({**ROW, "train_loss": 0.5 - 0.125 * epoch}, epoch + 1)
    history = read_training_history({}, tmp_path)
    assert history.series("train_loss") == ([1, 2, 3, 4], [0.5, 0.375, 0.25, 0.125])
    assert history.series("val_mean_hidden_rmse") == ([1, 2, 3, 4], [0.5] * 4)
    assert list(history.resumed) == [2.0, 3.0]


def test_the_model_s_own_record_comes_first(tmp_path) -> None:
    course = {"history": [{"epoch": 0, **ROW}, {"epoch": 1, **ROW}], "resumed": [[1, 0], [1, 7]]}
    history = read_training_history({COURSE: course}, tmp_path)
    assert len(history.rows) == 2
    assert list(history.resumed) == [1.0, 1.5]
    assert history.best_epoch() == 1


def test_a_model_without_a_record_has_no_curves(tmp_path) -> None:
    assert read_training_history({"training": {"epochs": 3}}, None).rows == ()
    assert read_training_history({}, tmp_path).rows == []
    assert draw_learning_curves(TrainingHistory()) == []


def test_every_metric_is_drawn_and_what_is_cut_off_is_told(run) -> None:
    rows = run.metadata[COURSE]["history"]
    more = [{**row, "val_new_metric": 1.0, "val_hidden_r2": float("nan")} for row in rows]
    names = {plot.name for plot in draw_learning_curves(TrainingHistory(more))}
    assert names == {"learning_loss", "learning_hidden_rmse", "learning_metric_0"}
    [r2] = [
        p for p in draw_learning_curves(TrainingHistory(rows)) if p.name == "learning_hidden_r2"
    ]
    assert "below -1 are not shown" in r2.caption
