from __future__ import annotations

import errno
import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astromer.encoder.config import EncoderConfig
from astromer.system.errors import ModelError, UsageError
from astromer.training import state
from astromer.training.config import TrainingConfig
from astromer.training.state import EpochHistory, Progress, StateFile, run_fingerprint
from astromer.windows.config import MaskingConfig


@pytest.fixture(scope="module")
def identify(toy):
    data = {"train": toy.curves([9, 5]), "validation": toy.curves([6])}

    def identify(**changes: Any) -> str:
        settings = {
            "encoder": EncoderConfig(),
            "masking": MaskingConfig(),
            "training": TrainingConfig(),
            **data,
        }
        return run_fingerprint(**{**settings, **changes})

    identify.data = data  # type: ignore[attr-defined]
    return identify


def test_it_is_stable(identify) -> None:
    assert identify() == identify()
    assert len(identify()) == 64
    assert int(identify(), 16)


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": EncoderConfig(d_model=128)},
        {"encoder": EncoderConfig(dropout=0.0)},
        {"masking": MaskingConfig(same=0.1)},
        {"training": TrainingConfig(seed=1)},
        {"training": TrainingConfig(batch_size=128)},
        {"training": TrainingConfig(learning_rate=1e-3)},
        {"training": TrainingConfig(norm=True)},
        {"training": TrainingConfig(loss_on="hidden")},
        {"training": TrainingConfig(clip_norm=1.0)},
        {"training": TrainingConfig(warmup_steps=3)},
        {"training": TrainingConfig(decay="cosine")},
    ],
)
def test_what_changes_the_weights_changes_it(identify, changes: dict[str, Any]) -> None:
    assert identify(**changes) != identify()


@pytest.mark.parametrize(
    "free",
    [
        {"epochs": 7},
        {"patience": 1},
        {"log_every": 1},
        {"checkpoint_seconds": 0.0},
        {"debug": True},
    ],
)
def test_what_a_run_may_change_on_its_way_does_not(identify, free: dict[str, Any]) -> None:
    assert identify(training=TrainingConfig(**free)) == identify()


def test_epochs_count_where_the_schedule_depends_on_them(identify) -> None:
    cosine = TrainingConfig(decay="cosine")
    assert identify(training=cosine) != identify(training=replace(cosine, epochs=7))
    assert identify(training=cosine) == identify(training=replace(cosine, patience=1))


@pytest.mark.parametrize("field", ["mjd", "mag", "errmag"])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_one_changed_bit_of_the_data_changes_it(identify, split: str, field: str) -> None:
    curves = identify.data[split]
    changed = getattr(curves, field).copy()
    changed[-1] = np.nextafter(changed[-1], changed.dtype.type(1e9))
    assert identify(**{split: replace(curves, **{field: changed})}) != identify()


def test_where_curves_end_counts(identify) -> None:
    curves = identify.data["train"]
    moved = replace(curves, offsets=np.array([0, 8, 14]))
    assert identify(train=moved) != identify()


ROWS = [{"epoch": 0, "a": 0.1, "b": 1 / 3}, {"epoch": 1, "a": 1e-300, "b": 2.0}]


def test_rows_come_back_bit_for_bit() -> None:
    history = EpochHistory()
    for row in ROWS:
        history.append(row)
    assert list(history) == ROWS
    assert (len(history), history[-1], history[1:]) == (2, ROWS[1], ROWS[1:])


def test_there_is_nothing_before_the_first_epoch() -> None:
    assert list(EpochHistory()) == []
    assert list(EpochHistory.from_values((), EpochHistory().values())) == []


def test_values_make_the_same_history() -> None:
    history = EpochHistory(ROWS)
    assert history.values().tolist() == [[0.1, 1 / 3], [1e-300, 2.0]]
    again = EpochHistory.from_values(history.metrics, history.values())
    again.append({"epoch": 2, "b": 4.0, "a": 3.0})
    assert list(again) == [*ROWS, {"epoch": 2, "a": 3.0, "b": 4.0}]
    assert list(history) == ROWS


def test_what_an_epoch_did_not_measure_is_nan() -> None:
    history = EpochHistory(ROWS)
    history.append({"epoch": 2, "b": 4.0, "c": 5.0})
    assert history.metrics == ("a", "b", "c")
    missing = np.isnan(history.values())
    assert missing.tolist() == [[False, False, True], [False, False, True], [True, False, False]]
    assert math.isnan(history[0]["c"])
    assert (history[1]["a"], history[2]["b"], history[2]["c"]) == (1e-300, 4.0, 5.0)


PROGRESS = Progress(
    "print",
    epoch=3,
    step=7,
    sums=[0.1, 1 / 3, 1e-300, 2.0],
    best=0.1 + 0.2,
    best_epoch=2,
    waited=1,
    seconds=12.5,
    history=EpochHistory([{"epoch": 0, "val_hidden_rmse": 1 / 3, "val_hidden_r2": float("nan")}]),
)
GROUPS: dict[str, list[np.ndarray]] = {
    "weights": [np.array([[1, 2], [3, 4]], np.float32), np.array(0.1, np.float32)],
    "optimizer": [np.array(5), *(np.full(3, i, np.float32) for i in range(12))],
}


@pytest.fixture
def saved(tmp_path: Path) -> StateFile:
    file = StateFile(tmp_path / "deep" / "checkpoints")
    file.save(PROGRESS, GROUPS)
    return file


def test_everything_comes_back_bit_for_bit(saved: StateFile) -> None:
    restored = saved.restore("print")
    assert restored is not None
    progress, groups = restored
    [row] = progress.history
    assert math.isnan(row.pop("val_hidden_r2"))
    assert row == {"epoch": 0, "val_hidden_rmse": 1 / 3}
    assert vars(progress) | {"history": None} == vars(PROGRESS) | {"history": None}
    assert set(groups) == set(GROUPS)
    for name, arrays in GROUPS.items():
        assert len(groups[name]) == len(arrays)
        for one, other in zip(groups[name], arrays):
            assert (one.dtype, one.tobytes()) == (np.asarray(other).dtype, other.tobytes())


def test_a_fresh_start_survives_too(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.save(Progress("print"), {})
    restored = file.restore("print")
    assert restored is not None
    assert list(restored[0].history) == []
    assert vars(restored[0]) | {"history": None} == vars(Progress("print")) | {"history": None}


@pytest.mark.parametrize("as_text", [False, True])
def test_progress_of_earlier_releases_is_read(saved: StateFile, as_text: bool) -> None:
    with np.load(saved.path) as arrays:
        older = {name: arrays[name] for name in arrays.files}
    del older["history"]
    rows = [{"epoch": 0, "val_hidden_rmse": 0.5}, {"epoch": 1, "val_hidden_rmse": 0.25}]
    progress = json.dumps(vars(PROGRESS) | {"history": rows})
    older["progress.json"] = np.array(progress if as_text else progress.encode())
    np.savez(saved.path, **older)
    restored = saved.restore("print")
    assert restored is not None
    assert restored[0].sums == PROGRESS.sums
    assert list(restored[0].history) == rows


@pytest.mark.parametrize("history", [np.zeros((1, 3)), np.zeros(2), np.zeros((1, 2), np.float32)])
def test_a_history_of_other_metrics_is_damage(saved: StateFile, history: np.ndarray) -> None:
    with np.load(saved.path) as arrays:
        other = {name: arrays[name] for name in arrays.files} | {"history": history}
    np.savez(saved.path, **other)
    with pytest.raises(ModelError, match="damaged"):
        saved.restore("print")


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert StateFile(tmp_path / "nowhere").restore("print") is None


def test_other_settings_are_refused_and_the_file_stays(saved: StateFile) -> None:
    before = saved.path.read_bytes()
    with pytest.raises(UsageError, match=r"settings and data.*state\.npz.*--output"):
        saved.restore("other")
    assert saved.path.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "refused"),
    [({"tensorflow": "2.99"}, True), ({"keras": "3.99"}, True), ({"other": "1.0"}, False)],
)
def test_a_state_of_other_libraries_would_be_resumed_inexactly(
    tmp_path: Path, changed: dict[str, str], refused: bool
) -> None:
    file, here = StateFile(tmp_path), Progress("print").libraries
    file.save(Progress("print", libraries=here | changed), GROUPS)
    if not refused:
        assert file.restore("print")
        return
    [(name, version)] = changed.items()
    with pytest.raises(UsageError, match=f"{name} {version}, where {name} {here[name]} is") as told:
        file.restore("print")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("installed", ["2.16", "2.21"])
def test_earlier_releases_trained_with_one_tensorflow(
    saved: StateFile, installed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with np.load(saved.path) as arrays:
        older = {name: arrays[name] for name in arrays.files}
    facts = json.loads(older["progress.json"].item())
    del facts["libraries"]
    np.savez(saved.path, **older | {"progress.json": np.array(json.dumps(facts).encode())})
    monkeypatch.setattr(state, "library_releases", lambda: {"tensorflow": installed})
    if installed == "2.16":
        assert saved.restore("print")
    else:
        with pytest.raises(UsageError, match=r"of tensorflow 2\.16, where tensorflow 2\.21 is"):
            saved.restore("print")


@pytest.mark.parametrize("kept", [0, 1, 10, 100, 0.5, 0.9, -1])
def test_a_cut_off_file_is_a_model_error(saved: StateFile, kept: float) -> None:
    data = saved.path.read_bytes()
    size = int(kept * len(data)) if isinstance(kept, float) else kept
    saved.path.write_bytes(data[:size])
    with pytest.raises(ModelError, match=r"state\.npz.*damaged.*Delete it"):
        saved.restore("print")


def test_damage_anywhere_is_a_model_error_or_harmless(saved: StateFile) -> None:
    data = saved.path.read_bytes()
    reference = saved.restore("print")
    assert reference is not None
    rng = np.random.default_rng(0)
    refused = 0
    for position in rng.integers(0, len(data), 300):
        broken = bytearray(data)
        broken[position] ^= 0xFF
        saved.path.write_bytes(bytes(broken))
        try:
            restored = saved.restore("print")
        except (ModelError, UsageError):
            refused += 1
            continue
        assert restored is not None
        for name, arrays in reference[1].items():
            assert [a.tobytes() for a in restored[1][name]] == [a.tobytes() for a in arrays]
    assert refused > 100


@pytest.mark.parametrize("kind", ["text", "npy", "foreign npz", "folder", "pickle"])
def test_a_file_of_another_kind_is_a_model_error(saved: StateFile, kind: str) -> None:
    saved.path.unlink()
    if kind == "text":
        saved.path.write_text("hello")
    elif kind == "folder":
        saved.path.mkdir()
    elif kind == "foreign npz":
        np.savez(saved.path, a=np.ones(3))
    else:
        with open(saved.path, "wb") as file:
            np.save(file, np.array([{}]) if kind == "pickle" else np.ones(3), allow_pickle=True)
    with pytest.raises(ModelError, match="damaged"):
        saved.restore("print")


def test_a_save_that_fails_leaves_the_old_state(
    saved: StateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.path.read_bytes()

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        saved.save(Progress("print", epoch=9), GROUPS)
    assert saved.path.read_bytes() == before
    monkeypatch.undo()
    saved.save(Progress("print", epoch=10), GROUPS)
    restored = saved.restore("print")
    assert restored is not None
    assert restored[0].epoch == 10
    names = sorted(path.name for path in saved.folder.iterdir())
    assert names == ["state.earlier.npz", "state.npz"]


def test_a_header_that_promises_less_is_found(saved: StateFile) -> None:
    content = saved.path.read_bytes()
    assert b"'shape': (3,)" in content
    saved.path.write_bytes(content.replace(b"'shape': (3,)", b"'shape': (2,)"))
    with pytest.raises(ModelError, match="damaged"):
        saved.restore("print")


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EIO, "Input/output error")])
def test_what_the_system_refuses_is_no_damage(
    saved: StateFile, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr("astromer.training.state.read_arrays", refuse)
    with pytest.raises(type(error)):
        saved.restore("print")


@pytest.fixture
def twice(saved: StateFile) -> StateFile:
    saved.save(Progress("print", epoch=4), GROUPS)
    return StateFile(saved.folder)


def test_the_state_before_a_damaged_one_is_taken_and_kept(twice: StateFile) -> None:
    twice.path.write_bytes(twice.path.read_bytes()[:-1])
    restored = twice.restore("print")
    assert restored is not None
    assert restored[0].epoch == 3
    assert twice.damaged
    before = twice.earlier.read_bytes()
    twice.save(Progress("print", epoch=4, step=1), GROUPS)  # not the damaged one in its place
    assert twice.earlier.read_bytes() == before
    twice.save(Progress("print", epoch=5), GROUPS)
    again = StateFile(twice.folder)
    assert [again.restore("print")[0].epoch, again.damaged] == [5, False]  # type: ignore[index]
    again.path.write_bytes(b"")
    assert again.restore("print")[0].step == 1  # type: ignore[index]


def test_when_both_are_damaged_the_newer_one_is_named(twice: StateFile) -> None:
    twice.path.write_bytes(b"")
    twice.earlier.write_bytes(b"PK")
    with pytest.raises(ModelError, match=r"state\.npz, which is damaged"):
        twice.restore("print")


def test_the_state_before_is_not_taken_for_other_settings(twice: StateFile) -> None:
    twice.path.write_bytes(b"")
    with pytest.raises(ModelError, match="damaged"):
        twice.restore("other")


def test_without_the_newest_state_a_training_begins_anew(twice: StateFile) -> None:
    twice.path.unlink()
    assert twice.restore("print") is None


def test_a_file_system_without_links_keeps_one_state(
    saved: StateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    saved.save(Progress("print", epoch=4), GROUPS)
    assert [path.name for path in saved.folder.iterdir()] == ["state.npz"]
