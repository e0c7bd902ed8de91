from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from astromer.encoder.config import EncoderConfig
from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.evaluation.evaluation import evaluate
from astromer.system.errors import ModelError, TrainingError, TrainingInterrupted, UsageError
from astromer.system.parallel import AUTO, BFLOAT16, KERNELS
from astromer.training import loop
from astromer.training.loop import train
from astromer.training.state import StateFile
from astromer.windows.config import MaskingConfig

STEPS_PER_EPOCH = 3


class Killed(BaseException):
    """Ends a run on the spot, as a kill does: nothing of it is saved any more."""


def interrupted_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills the process's next run when it begins its step number ``step``, from 0."""
    begun = loop.TrainStep.__call__

    def call(self, batch, number: int):
        if number == step:
            raise Killed
        return begun(self, batch, number)

    monkeypatch.setattr(loop.TrainStep, "__call__", call)


def without_seconds(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def test_the_result(small_run, uninterrupted) -> None:
    result = uninterrupted.result
    assert [row["epoch"] for row in result.history] == [0, 1, 2]
    assert result.history[0]["train_loss"] > 1.2 * result.history[-1]["train_loss"]
    best = min(result.history, key=lambda row: row["val_hidden_rmse"])
    for name in ("val_hidden_rmse", "val_hidden_r2", "train_loss", "val_skill_over_mean"):
        assert result.summary[name] == best[name]
    assert result.summary["best_epoch"] == best["epoch"]
    assert result.summary["epochs"] == 3
    assert result.summary["replicas"] == 1
    assert result.summary["train_observations"] == small_run.train.num_observations
    assert result.summary["parameters"] == sum(w.size for w in uninterrupted.weights)


def test_the_weights_are_those_of_the_best_epoch(small_run, uninterrupted) -> None:
    result = uninterrupted.result
    again = evaluate(result.model, small_run.validation, masking=MaskingConfig(), seed=42)
    best = min(row["val_hidden_rmse"] for row in result.history)
    assert again.metrics["hidden_rmse"] == pytest.approx(best, rel=1e-6)


def test_the_same_seed_gives_the_same_bits(small_run, uninterrupted, bits, tmp_path: Path) -> None:
    result = small_run(tmp_path)
    assert bits.same(bits.of(result.model), uninterrupted.weights)
    assert without_seconds(result.history) == without_seconds(uninterrupted.result.history)


@pytest.mark.slow
def test_how_often_it_logs_and_saves_changes_nothing_and_another_seed_does(
    small_run, uninterrupted, bits, tmp_path: Path
) -> None:
    calm = small_run(tmp_path / "calm", log_every=2, checkpoint_seconds=1000.0)
    assert bits.same(bits.of(calm.model), uninterrupted.weights)
    other = small_run(tmp_path / "other", seed=43, epochs=1)
    assert not bits.same(bits.of(other.model), uninterrupted.weights)


@pytest.mark.parametrize("steps", [(1,), (STEPS_PER_EPOCH, 5), (7, 8)], ids=str)
def test_a_run_killed_between_steps_ends_with_the_same_bits(
    small_run, uninterrupted, bits, tmp_path: Path, steps: tuple[int, ...]
) -> None:
    for step in steps:
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            interrupted_at(step, patch)
            small_run(tmp_path)
    result = small_run(tmp_path)
    assert bits.same(bits.of(result.model), uninterrupted.weights)
    assert without_seconds(result.history) == without_seconds(uninterrupted.result.history)
    assert result.resumed == [list(divmod(step, STEPS_PER_EPOCH)) for step in steps]
    assert uninterrupted.result.resumed == []


@pytest.mark.slow
def test_a_run_killed_in_validation_or_while_saving_ends_with_the_same_bits(
    small_run, uninterrupted, bits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*args: Any, **kwargs: Any) -> None:
        raise Killed

    for module, name in ((loop, "evaluate"), (os, "fsync"), (Path, "replace")):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            patch.setattr(module, name, kill)
            small_run(tmp_path)
    result = small_run(tmp_path)
    assert bits.same(bits.of(result.model), uninterrupted.weights)
    assert without_seconds(result.history) == without_seconds(uninterrupted.result.history)


@pytest.mark.slow
def test_a_rare_checkpoint_costs_work_and_nothing_else(
    small_run, uninterrupted, bits, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        interrupted_at(5, patch)
        small_run(tmp_path, checkpoint_seconds=1000.0)
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        begun = loop.TrainStep.__call__

        def call(self, batch, number: int):
            steps.append(number)
            return begun(self, batch, number)

        patch.setattr(loop.TrainStep, "__call__", call)
        result = small_run(tmp_path, checkpoint_seconds=1000.0)
    assert steps == [3, 4, 5, 6, 7, 8]
    assert bits.same(bits.of(result.model), uninterrupted.weights)


@pytest.mark.slow
def test_sigkill_at_any_moment_costs_no_bit(small_run, uninterrupted, bits, tmp_path: Path) -> None:
    state = tmp_path / "checkpoints" / "state.npz"
    process = small_run.start({tmp_path: {}})
    code, _ = small_run.stop_when(process, state.exists, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not (tmp_path / "result.npz").exists()
    result = small_run(tmp_path)
    assert bits.same(bits.of(result.model), uninterrupted.weights)
    assert without_seconds(result.history) == without_seconds(uninterrupted.result.history)


@pytest.mark.slow
def test_sigterm_saves_and_says_how_to_go_on(small_run, bits, tmp_path: Path) -> None:
    # No time of its own ever saves a state in the middle of an epoch here.
    endless = {"checkpoint_seconds": 1000.0, "epochs": 10**6, "patience": 10**6}
    folder = tmp_path / "stopped"
    state = StateFile(folder / "checkpoints")
    process = small_run.start({folder: endless})
    code, err = small_run.stop_when(process, state.path.exists, signal.SIGTERM)
    assert code in (TrainingInterrupted.exit_code, 128 + signal.SIGTERM), err
    assert "Traceback" not in err
    message = err.splitlines()[-1]
    assert "error: " in message
    assert str(state.path) in message
    assert "same command" in message

    with np.load(state.path) as arrays:
        stopped_in = json.loads(arrays["progress.json"].item())["epoch"]
    more = {**endless, "epochs": stopped_in + 2}
    resumed, whole = small_run(folder, **more), small_run(tmp_path / "whole", **more)
    assert bits.same(bits.of(resumed.model), bits.of(whole.model))
    assert without_seconds(resumed.history) == without_seconds(whole.history)


@pytest.mark.slow
def test_more_epochs_go_on_from_the_end(small_run, uninterrupted, bits, tmp_path: Path) -> None:
    small_run(tmp_path, epochs=1)
    result = small_run(tmp_path)
    assert bits.same(bits.of(result.model), uninterrupted.weights)
    assert without_seconds(result.history) == without_seconds(uninterrupted.result.history)


def test_a_run_goes_on_with_other_kernels_and_says_so(
    small_run, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_run(tmp_path, epochs=1)
    monkeypatch.setenv(KERNELS, "1" if os.environ[KERNELS] == "0" else "0")
    assert "may differ" not in capsys.readouterr().out
    result = small_run(tmp_path, epochs=2)
    assert len(result.history) == 2
    assert "goes on with" in capsys.readouterr().out


def test_auto_takes_the_faster_precision(small_run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("astromer.training.step.faster_precision", lambda: BFLOAT16)
    result = small_run(tmp_path, epochs=1, precision=AUTO)
    assert result.summary["precision"] == BFLOAT16


def test_a_finished_run_is_not_trained_again(
    small_run, uninterrupted, bits, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted_at(0, monkeypatch)
    monkeypatch.setattr(loop, "evaluate", None)
    result = small_run(uninterrupted.folder)
    assert bits.same(bits.of(result.model), uninterrupted.weights)
    assert result.history == uninterrupted.result.history
    assert result.summary == uninterrupted.result.summary


def test_early_stopping_restores_the_best_weights_and_can_be_prolonged(
    small_run, bits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = [3.0, 1.0, 2.0, 2.5, 1.0, 0.5]
    seen: list[list[np.ndarray]] = []

    def evaluate(model, *args: Any, **kwargs: Any) -> SimpleNamespace:
        seen.append([w.copy() for w in bits.of(model)])
        names = ["hidden_r2", "hidden_steps", *(f"{name}_hidden_rmse" for name in BASELINE_TITLES)]
        return SimpleNamespace(
            metrics={"hidden_rmse": script[len(seen) - 1], **dict.fromkeys(names, 1.0)}
        )

    monkeypatch.setattr(loop, "evaluate", evaluate)
    result = small_run(tmp_path, epochs=6, patience=2)
    assert [row["val_hidden_rmse"] for row in result.history] == script[:4]
    assert result.summary["best_epoch"] == 1
    assert bits.same(bits.of(result.model), seen[1])
    assert not bits.same(seen[1], seen[3])

    result = small_run(tmp_path, epochs=6, patience=4)
    assert [row["val_hidden_rmse"] for row in result.history] == script
    assert result.summary["best_epoch"] == 5
    assert bits.same(bits.of(result.model), seen[5])


def planted(curves, chosen: list[int], value: float):
    mag = curves.mag.copy()
    for index in chosen:
        mag[curves.offsets[index] : curves.offsets[index + 1]] = value
    return replace(curves, mag=mag)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_nan_magnitudes_stop_the_training_and_name_the_object(small_run, tmp_path: Path) -> None:
    settings = small_run.settings(tmp_path, batch_size=4)
    curves = planted(small_run.train, [3], float("nan"))
    with pytest.raises(TrainingError, match=r"(?s)finite.*nan.*epoch 1.*star-3") as caught:
        train(curves, small_run.validation, **settings)
    assert "\n" not in str(caught.value)
    restored = StateFile(settings["checkpoint_dir"])
    if restored.path.exists():
        with np.load(restored.path) as arrays:
            assert all(
                np.isfinite(arrays[n]).all() for n in arrays.files if arrays[n].dtype.kind == "f"
            )


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_the_guilty_object_is_named_even_in_a_large_batch(toy, small_run, tmp_path: Path) -> None:
    settings = small_run.settings(tmp_path, batch_size=32)
    curves = planted(toy.curves([20] * 30), [25], float("nan"))
    with pytest.raises(TrainingError, match="star-25"):
        train(curves, small_run.validation, **settings)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_an_exploding_loss_is_a_training_error(small_run, tmp_path: Path) -> None:
    settings = small_run.settings(tmp_path)
    curves = planted(small_run.train, [0], 0.0)
    curves.mag[::2] = 3e38
    with pytest.raises(TrainingError, match="finite"):
        train(curves, small_run.validation, **settings)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_validation_that_says_nothing_is_a_training_error(small_run, tmp_path: Path) -> None:
    settings = small_run.settings(tmp_path / "nan", epochs=1)
    curves = planted(small_run.validation, [1], float("nan"))
    with pytest.raises(TrainingError, match="[Vv]alidation"):
        train(small_run.train, curves, **settings)
    settings = {**settings, "checkpoint_dir": tmp_path / "none", "masking": MaskingConfig(same=1.0)}
    with pytest.raises(TrainingError, match="[Vv]alidation"):
        train(small_run.train, small_run.validation, **settings)


def test_other_settings_or_data_are_refused(toy, small_run, uninterrupted) -> None:
    with pytest.raises(UsageError, match="settings and data"):
        small_run(uninterrupted.folder, learning_rate=0.02)
    settings = small_run.settings(uninterrupted.folder)
    with pytest.raises(UsageError, match="settings and data"):
        train(toy.curves((30, 20)), small_run.validation, **settings)


def test_a_damaged_checkpoint_is_a_model_error(small_run, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "state.npz").write_bytes(b"PK\x03\x04 no more than this")
    with pytest.raises(ModelError, match="Delete it"):
        small_run(tmp_path)


def test_a_damaged_checkpoint_costs_no_bit_where_the_one_before_is_whole(
    small_run, uninterrupted, bits, tmp_path: Path, capsys
) -> None:
    shutil.copytree(uninterrupted.folder / "checkpoints", tmp_path / "checkpoints")
    state = tmp_path / "checkpoints" / "state.npz"
    state.write_bytes(state.read_bytes()[:1000])
    result = small_run(tmp_path)
    assert bits.same(bits.of(result.model), uninterrupted.weights)
    assert without_seconds(result.history) == without_seconds(uninterrupted.result.history)
    said = capsys.readouterr().out
    assert "state.npz, is damaged" in said
    assert f"Resuming from {state.with_name('state.earlier.npz')}" in said


def test_a_checkpoint_without_all_weights_is_a_model_error(
    small_run, uninterrupted, tmp_path: Path
) -> None:
    with np.load(uninterrupted.folder / "checkpoints" / "state.npz") as arrays:
        kept = {n: arrays[n] for n in arrays.files if n not in ("weights/3", "optimizer/2")}
    (tmp_path / "checkpoints").mkdir()
    with open(tmp_path / "checkpoints" / "state.npz", "wb") as file:
        np.savez(file, **kept)
    with pytest.raises(ModelError, match="Delete it"):
        small_run(tmp_path)


def test_settings_that_cannot_work_are_usage_errors(toy, small_run, tmp_path: Path) -> None:
    settings = small_run.settings(tmp_path)
    nothing = toy.curves([])
    with pytest.raises(UsageError, match="Received: 0 and 3"):
        train(nothing, small_run.validation, **settings)
    with pytest.raises(UsageError, match="Received: 5 and 0"):
        train(small_run.train, nothing, **settings)
    with pytest.raises(UsageError, match="heads"):
        wrong = {**settings, "encoder": EncoderConfig(d_model=10, num_heads=4, num_layers=1)}
        train(small_run.train, small_run.validation, **wrong)


def test_synthetic_stars_are_mixed_into_the_training(small_run, tmp_path, capsys):
    mixed = small_run(tmp_path, epochs=1, synthetic_share=0.5).summary
    assert "mixed in 5 synthetic stars" in capsys.readouterr().out
    assert mixed["train_observations"] > small_run.train.num_observations
