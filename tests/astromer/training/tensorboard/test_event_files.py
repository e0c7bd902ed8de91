from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import tensorflow as tf

from astromer.system.errors import DataNotFoundError, UsageError
from astromer.training.tensorboard.event_files import (
    event_files,
    find_runs,
    read_events,
    remove_events,
)
from astromer.training.tensorboard.log import RunLog


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
    remove_events(folder, lambda tag, step: step <= 6)
    assert steps_in(folder) == list(range(7))
    assert len(list(folder.iterdir())) == 2  # nothing was left of the third, nor lies about


def test_what_stays_is_not_written_again(tmp_path: Path) -> None:
    write(tmp_path, "step/loss", range(3))
    [path] = event_files(tmp_path)
    before = path.stat().st_ino
    remove_events(tmp_path, lambda tag, step: True)
    assert path.stat().st_ino == before


def test_a_file_that_a_kill_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    write(tmp_path, "step/loss", range(5))
    [path] = event_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    assert steps_in(tmp_path) == [0, 1, 2, 3]
    remove_events(tmp_path, lambda tag, step: step <= 1)
    write(tmp_path, "step/loss", range(2, 4))
    assert steps_in(tmp_path) == [0, 1, 2, 3]


def test_a_worker_that_is_not_the_chief_writes_nothing(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "logs", enabled=False)
    log.resume(0, 0)
    log.step({"loss": 1.0}, 1)
    log.epoch({"train_loss": 1.0, "val_hidden_rmse": 1.0}, 1)
    log.end()
    assert list(tmp_path.iterdir()) == []


def log(folder: Path, time: float) -> None:
    folder.mkdir(parents=True)
    (folder / "events.out.tfevents.1").touch()
    os.utime(folder / "events.out.tfevents.1", (time, time))


def test_trainings_are_found_the_newest_first(tmp_path: Path) -> None:
    for name, time in (("old", 100), ("new", 300)):
        for line in ("train", "validation"):
            log(tmp_path / "training" / name / "logs" / line, time)
    log(tmp_path / "pretrain" / "v1" / "logs", 200)
    names = [run.relative_to(tmp_path).parts[1] for run in find_runs(tmp_path)]
    assert names == ["new", "v1", "old"]


def test_a_store_is_looked_through_as_well(store) -> None:
    (store / "training" / "a" / "logs" / "train").mkdir(parents=True)
    (store / "training" / "a" / "logs" / "train" / "events.out.tfevents.1").write_text("")
    assert find_runs(store) == [store / "training" / "a" / "logs"]


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_without_trainings_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataNotFoundError, match="Received: .*Train with"):
        find_runs(tmp_path / name)


def test_the_server_shows_what_was_written(toy, tmp_path: Path) -> None:
    for line in ("train", "validation"):
        with tf.summary.create_file_writer(str(tmp_path / "logs" / line)).as_default():
            tf.summary.scalar("epoch/hidden_rmse", 0.25, step=1)
    command = [sys.executable, "-m", "astromer", "tensorboard", "--port", "0"]
    with subprocess.Popen(
        [*command, "--output", str(tmp_path)],
        cwd=toy.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if " is at " in line)
        address = line.split(" is at ")[1].split()[0]
        with urllib.request.urlopen(f"{address}data/runs", timeout=30) as answer:
            runs = set(json.load(answer))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert runs == {"logs/train", "logs/validation"}
    assert process.returncode == 0
    assert err == ""


@pytest.mark.filterwarnings("ignore:pkg_resources:UserWarning")
def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    from astromer.commands.tensorboard import serve

    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        with pytest.raises(UsageError, match="--port"):
            serve(tmp_path, "localhost", taken.getsockname()[1], [])
