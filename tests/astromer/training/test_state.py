from __future__ import annotations

import errno
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from astromer.system.errors import ModelError, UsageError
from astromer.training.history import EpochHistory
from astromer.training.state import Progress, StateFile

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
