"""What a training leaves for TensorBoard, read back from its event files."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorboard.plugins.hparams import plugin_data_pb2

from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.training import loop
from astromer.training.config import TensorBoardConfig
from astromer.training.tensorboard.event_files import event_files, read_events
from astromer.training.tensorboard.log import RunLog
from tools.benchmarks.measuring.resources import held

STEPS_PER_EPOCH = 3
LINES = ("train", "validation", *BASELINE_TITLES)


class Killed(BaseException):
    """Ends a run on the spot, as a kill does."""


def values(folder: Path) -> list[tuple[str, int, Any]]:
    """(tag, step, value) of all events in a folder, in their order."""
    return [
        (value.tag, event.step, value)
        for path in event_files(folder)
        for event in read_events(path)
        for value in event.summary.value
    ]


def numbers(folder: Path) -> dict[tuple[str, int], float]:
    found = {}
    for tag, step, value in values(folder):
        if value.metadata.plugin_data.plugin_name == "scalars" or tag.startswith(("step", "epoch")):
            assert (tag, step) not in found, "written twice"
            found[tag, step] = float(tf.make_ndarray(value.tensor))
    return found


def steps_of(folder: Path, tag: str) -> list[int]:
    return [step for name, step, _ in values(folder) if name == tag]


@pytest.fixture(scope="module")
def logged(small_run, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("logged")
    return folder / "logs", small_run(folder, log_every=2)


def test_training_validation_and_baselines_share_their_charts(logged) -> None:
    logs, result = logged
    charts = {line: numbers(logs / line) for line in LINES}
    for row in result.history:
        epoch = row["epoch"] + 1
        key = "epoch/hidden_rmse", epoch
        assert charts["train"][key] == pytest.approx(row["train_hidden_rmse"], rel=1e-6)
        assert charts["validation"][key] == pytest.approx(row["val_hidden_rmse"], rel=1e-6)
        for name in BASELINE_TITLES:
            for metric in ("hidden_rmse", "hidden_r2"):
                found = charts[name][f"epoch/{metric}", epoch]
                assert found == pytest.approx(row[f"val_{name}_{metric}"], rel=1e-6)
        for metric in ("hidden_r2", "probed_rmse", "skill_over_interpolation"):
            found = charts["validation"][f"epoch/{metric}", epoch]
            assert found == pytest.approx(row[f"val_{metric}"], rel=1e-6)
        assert charts["train"]["epoch/learning_rate", epoch] == pytest.approx(0.01)
        assert charts["train"]["epoch/windows_per_second", epoch] > 0


def test_steps_have_metrics_learning_rate_and_speed(logged) -> None:
    train = numbers(logged[0] / "train")
    # Every second step of an epoch of three.
    assert sorted(step for tag, step in train if tag == "step/loss") == [2, 4 + 1, 6 + 2]
    for step in (2, 5, 8):
        assert train["step/learning_rate", step] == pytest.approx(0.01)
        assert train["step/windows_per_second", step] > 0
        assert train["step/hidden_rmse", step] > 0


def test_hyperparameters_stand_beside_the_metrics_that_matter(logged) -> None:
    found = {tag: value for tag, _, value in values(logged[0]) if tag.startswith("_hparams_/")}
    data = {
        tag: plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
        for tag, value in found.items()
    }
    start = data["_hparams_/session_start_info"].session_start_info
    assert start.hparams["d_model"].number_value == 8
    assert start.hparams["learning_rate"].number_value == pytest.approx(0.01)
    assert start.hparams["probed"].number_value == 0.5
    assert start.hparams["architecture"].string_value == "astromer_v2"
    metrics = {
        (m.name.group, m.name.tag) for m in data["_hparams_/experiment"].experiment.metric_infos
    }
    assert ("validation", "epoch/hidden_rmse") in metrics
    assert {tag for tag, _ in numbers(logged[0] / "validation")} >= {tag for _, tag in metrics}
    assert "_hparams_/session_end_info" in data


@pytest.mark.slow
def test_pictures_of_the_same_light_curves(small_run, tmp_path: Path) -> None:
    small_run(tmp_path, epochs=3, tensorboard=TensorBoardConfig(image_epochs=2, image_curves=3))
    pictures = [
        (step, tf.io.decode_png(value.tensor.string_val[2]).shape)
        for tag, step, value in values(tmp_path / "logs" / "validation")
        if tag == "reconstructions"
    ]
    assert [step for step, _ in pictures] == [1, 2]
    assert len({tuple(shape) for _, shape in pictures}) == 1
    assert pictures[0][1][0] > 300


def test_without_matplotlib_there_are_none_and_the_log_says_so(
    small_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    small_run(tmp_path, epochs=1)
    assert steps_of(tmp_path / "logs" / "validation", "reconstructions") == []
    assert [record.message for record in caplog.records if "matplotlib" in record.message]


def test_embeddings_of_the_validation_split_with_their_classes(small_run, logged) -> None:
    folder = logged[0] / "validation"
    assert "embeddings.tsv" in (folder / "projector_config.pbtxt").read_text()
    vectors = [line.split("\t") for line in (folder / "embeddings.tsv").read_text().splitlines()]
    head, *rows = [
        line.split("\t") for line in (folder / "embeddings_metadata.tsv").read_text().splitlines()
    ]
    assert head[0] == "class"
    assert [row[1] for row in rows] == small_run.validation.ids.tolist()
    assert [row[0] for row in rows] == small_run.validation.class_names.tolist()
    assert [len(vector) for vector in vectors] == [8] * len(rows)
    assert all(float(number) == float(number) for vector in vectors for number in vector)


def test_what_is_shown_changes_no_bit(small_run, uninterrupted, bits, tmp_path: Path) -> None:
    nothing = TensorBoardConfig(image_epochs=0, projector_curves=0)
    plain = small_run(tmp_path, tensorboard=nothing)
    assert bits.same(bits.of(plain.model), uninterrupted.weights)
    assert not (tmp_path / "logs" / "validation" / "projector_config.pbtxt").exists()


@pytest.mark.slow
def test_a_killed_run_goes_on_in_the_same_charts(small_run, logged, tmp_path: Path) -> None:
    """It is killed after it has told TensorBoard of steps that its checkpoint does not know."""
    begun = loop.TrainStep.__call__

    def kill(self, batch, number: int):
        if number == STEPS_PER_EPOCH + 2:
            raise Killed
        return begun(self, batch, number)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(loop.TrainStep, "__call__", kill)
        small_run(tmp_path, log_every=1, checkpoint_seconds=1000.0)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(loop.StateFile, "save", kill_saving)
        small_run(tmp_path, log_every=1, checkpoint_seconds=1000.0)
    small_run(tmp_path, log_every=1, checkpoint_seconds=1000.0)

    for line in LINES:
        found = numbers(tmp_path / "logs" / line)  # fails where a step is there twice
        assert sorted(s for tag, s in found if tag == "epoch/hidden_rmse") == [1, 2, 3]
    train = numbers(tmp_path / "logs" / "train")
    assert sorted(s for tag, s in train if tag == "step/loss") == list(range(1, 10))
    whole = numbers(logged[0] / "train")
    for key in [("epoch/hidden_rmse", 3), ("step/loss", 5), ("step/loss", 8)]:
        assert train[key] == whole[key]
    tags = Counter(tag for tag, _, _ in values(tmp_path / "logs"))
    assert set(tags.values()) == {1}
    assert steps_of(tmp_path / "logs" / "validation", "reconstructions") == [1]


def kill_saving(*args: Any) -> None:
    raise Killed


@pytest.mark.slow
def test_a_store_has_the_same_files(small_run, store) -> None:
    small_run(store, epochs=1)
    assert numbers(store / "logs" / "validation")["epoch/hidden_rmse", 1] > 0
    assert (store / "logs" / "validation" / "embeddings.tsv").exists()


def _write(log: RunLog, epochs: range) -> None:
    names = ("train_loss", "train_hidden_rmse", "val_hidden_rmse", "val_hidden_r2")
    for epoch in epochs:
        log.epoch({name: epoch + index / 7 for index, name in enumerate(names)}, epoch)


def test_nothing_of_what_was_written_stays_in_memory(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    _write(log, range(200))
    before = held(os.getpid(), 0)
    _write(log, range(200, 1700))
    after = held(os.getpid(), 0)
    assert before
    assert after
    # TensorFlow would keep some 700 bytes of each Python number: 5 to 8 MiB of these.
    assert after.anonymous - before.anonymous < 1.5  # MiB
