from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from astromer.training.tensorboard.event_files import cut_back, event_files, read_events
from astromer.training.tensorboard.run_log import RunLog


def write(folder: Path, tag: str, steps: range) -> None:
    with tf.summary.create_file_writer(str(folder)).as_default():
        for step in steps:
            tf.summary.scalar(tag, float(step), step=step)


def steps_in(folder: Path) -> list[int]:
    return [
        event.step
        for path in event_files(folder)
        for event in read_events(path)
        if event.summary.value
    ]


@pytest.fixture(params=["here", "in a store"])
def folder(request, tmp_path: Path) -> Path:
    return request.getfixturevalue("store") if request.param == "in a store" else tmp_path


def test_values_are_taken_back_from_every_file(folder: Path) -> None:
    for steps in (range(5), range(5, 9), range(9, 12)):
        write(folder, "step/loss", steps)
    cut_back(folder, lambda tag, step: step <= 6)
    assert steps_in(folder) == list(range(7))
    assert len(list(folder.iterdir())) == 2  # nothing was left of the third, nor lies about


def test_what_stays_is_not_written_again(tmp_path: Path) -> None:
    write(tmp_path, "step/loss", range(3))
    [path] = event_files(tmp_path)
    before = path.stat().st_ino
    cut_back(tmp_path, lambda tag, step: True)
    assert path.stat().st_ino == before


def test_a_file_that_a_kill_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    write(tmp_path, "step/loss", range(5))
    [path] = event_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    assert steps_in(tmp_path) == [0, 1, 2, 3]
    cut_back(tmp_path, lambda tag, step: step <= 1)
    write(tmp_path, "step/loss", range(2, 4))
    assert steps_in(tmp_path) == [0, 1, 2, 3]


def test_a_worker_that_is_not_the_chief_writes_nothing(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "logs", enabled=False)
    log.go_on(0, 0)
    log.step({"loss": 1.0}, 1)
    log.epoch({"train_loss": 1.0, "val_hidden_rmse": 1.0}, 1)
    log.end()
    assert list(tmp_path.iterdir()) == []
