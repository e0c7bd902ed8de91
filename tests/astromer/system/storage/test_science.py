"""Folds, training and models in a store: what works on disk works there, with the same result."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import astromer
from astromer.commands import embed, merge_folds, score, validate
from astromer.records.fold import SPLITS, Fold
from astromer.records.reader import read_light_curves
from astromer.serving.export import export_saved_model, load_model
from astromer.serving.load_check import check_servable
from astromer.serving.versions.folder import find_version
from astromer.system.errors import DataNotFoundError, ModelError, RecordError, TrainingInterrupted
from astromer.system.storage import RemotePath, copy_tree
from astromer.training import loop
from presentation.pretraining import parse, pretrain
from tests.pipeline.folds import write_fold


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return write_fold(tmp_path / "fold")


@pytest.fixture
def there(here: Path, store: RemotePath) -> RemotePath:
    copy_tree(here, store / "fold")
    return store / "fold"


def test_a_fold_is_read_as_on_disk(here: Path, there: RemotePath) -> None:
    one, other = Fold.open(str(here)), Fold.open(str(there))
    assert one.content_fingerprint() == other.content_fingerprint()
    assert len(other.fingerprint()) == 64
    for split in SPLITS:
        first, second = (read_light_curves(fold.files[split]) for fold in (one, other))
        assert first.ids.tolist() == second.ids.tolist()
        np.testing.assert_array_equal(first.mjd, second.mjd)


def test_damage_is_told_as_on_disk(there: RemotePath) -> None:
    file = Fold.open(there).files["train"][0]
    data = file.read_bytes()
    file.write_bytes(data[:-5])
    with pytest.raises(RecordError, match=rf"{file} is cut off: it needs 5 bytes more"):
        read_light_curves([file])
    file.write_bytes(b"no records at all, but a text")
    with pytest.raises(RecordError, match="is not a TFRecord file"):
        Fold.open(there)
    file.unlink()
    with pytest.raises(DataNotFoundError, match="train"):
        Fold.open(str(there))
    with pytest.raises(DataNotFoundError, match="Received: ram://.*does not exist"):
        Fold.open(str(there / "missing"))


def test_validation_reports_into_a_store(there: RemotePath, store: RemotePath, capsys) -> None:
    assert validate.main(["--data", str(there), "--report", str(store / "report")]) == 0
    assert json.loads((store / "report" / "summary.json").read_text())["headline"]
    with (store / "report" / "findings.parquet").open("rb") as file:
        assert pq.read_table(file).num_rows == 0
    assert f"report: {store / 'report'}" in capsys.readouterr().out


def test_folds_are_merged_into_a_store(there: RemotePath, here: Path, store: RemotePath) -> None:
    merge_folds.main(["--data", str(there), str(here), "--output", str(store / "both")])
    merged = Fold.open(store / "both")
    assert len(read_light_curves(merged.files["test"])) == 24


ENCODER = ["--hidden", "8", "--n-heads", "2", "--n-layers", "1", "--window", "20"]


def test_training_goes_on_in_a_store_and_gives_the_same_model(
    here: Path, there: RemotePath, store: RemotePath, tmp_path: Path, monkeypatch
) -> None:
    """Two epochs without a stop on disk; in a store, stopped after one and gone on with."""
    settings = [*ENCODER, "--bs", "16", "--patience", "9"]

    def arguments(data: Path, output: Path, epochs: int) -> list[str]:
        return ["--data", str(data), "--output", str(output), "--epochs", str(epochs), *settings]

    def run(data: Path, output: Path, epochs: int) -> Path:
        args = parse(arguments(data, output, epochs), "pretrain", "")
        return pretrain(args, one_device=True)

    on_disk = load_model(run(here, tmp_path / "outputs", 2))

    save = loop.StateFile.save

    def stop(state, *given) -> None:
        save(state, *given)
        raise TrainingInterrupted(str(state.path))

    with monkeypatch.context() as stopping:
        stopping.setattr(loop.StateFile, "save", stop)
        with pytest.raises(TrainingInterrupted, match=r"ram://.*/checkpoints/state.npz"):
            run(there, store / "outputs", 2)
    model = run(there, store / "outputs", 2)
    assert str(model).startswith(f"{store}/outputs/pretrain/")
    for one, other in zip(on_disk.variables, load_model(str(model)).variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    run_folder = model.parent
    assert sorted(path.name for path in run_folder.iterdir()) == ["checkpoints", "logs", "model"]
    assert [path.name for path in (run_folder / "checkpoints").iterdir()] == ["state.npz"]
    assert any("tfevents" in path.name for path in (run_folder / "logs").iterdir())
    assert (store / "outputs" / "validation" / "summary.json").is_file()


def test_a_damaged_state_is_told(store: RemotePath) -> None:
    state = loop.StateFile(store / "checkpoints")
    assert state.restore("f") is None
    state.save(loop.Progress("f"), {"weights": [np.ones(3)]})
    progress, groups = state.restore("f")  # type: ignore[misc]
    assert progress.fingerprint == "f"
    assert groups["weights"][0].tolist() == [1, 1, 1]
    state.path.write_bytes(state.path.read_bytes()[:-30])
    with pytest.raises(ModelError, match="damaged"):
        state.restore("f")


@pytest.fixture
def serving(store: RemotePath, toy) -> RemotePath:
    """Two versions, and one that is being copied."""
    for seed in (1, 2):
        export_saved_model(toy.model(seed=seed), store / "serving" / str(seed))
    copy_tree(store / "serving" / "1" / "variables", store / "serving" / "3" / "variables")
    return store / "serving"


def test_models_are_written_and_used_in_a_store(
    serving: RemotePath, there: RemotePath, store: RemotePath, tmp_path: Path, toy
) -> None:
    copy_tree(serving / "2", tmp_path / "2")
    curves = toy.curves([30, 12, 7])
    expected = astromer.load(tmp_path / "2").embed(curves)
    embedder = astromer.load(str(serving))
    assert str(embedder.path) == f"{serving}/2"
    np.testing.assert_array_equal(embedder.embed(curves).mean, expected.mean)
    assert str(find_version(str(serving), 1)) == f"{serving}/1"
    with pytest.raises(ModelError, match="version 3"):
        find_version(serving, 3)
    assert check_servable(embedder.path, curves)["difference"] < 1e-4
    assert len(astromer.load_trainable(str(serving)).variables) > 0

    out = embed.embed(
        embed.parse(
            ["--model", str(serving), "--data", str(there), "--out", str(store / "e.parquet")]
        )
    )
    with out.open("rb") as file:
        table = pq.read_table(file)
    assert table.num_rows == 48
    with (store / "table.csv").open("w") as file:
        file.write("id,mjd,mag,errmag\n" + "".join(f"a,{i},15.{i},0.1\n" for i in range(9)))
    args = ["--model", str(serving), "--data", str(store / "table.csv"), "--out"]
    embed.embed(embed.parse([*args, str(store / "e2.parquet")]))
    assert sorted(path.name for path in store.glob("e*")) == ["e.parquet", "e2.parquet"]

    metrics = score.score(
        score.parse(
            ["--model", str(serving), "--data", str(there), "--out", str(store / "scores.json")]
        )
    )
    assert json.loads((store / "scores.json").read_text()) == metrics
