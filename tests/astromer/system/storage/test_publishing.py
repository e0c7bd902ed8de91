"""Folders appear in a store when all of them is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from astromer.records.fold import Fold
from astromer.records.publishing import publish
from astromer.system.errors import DataNotFoundError, UsageError
from astromer.system.files import make_folder, replace_folder
from astromer.system.storage import RemotePath, publishing
from astromer.system.storage.publishing import UNFINISHED
from tests.pipeline.folds import write_fold


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_an_old_folder_is_replaced_as_a_whole(store: RemotePath) -> None:
    target = store / "deep" / "model"
    make_folder(target, "--output")
    (target / "old").write_text("old")
    with replace_folder(target) as partial:
        assert not isinstance(partial, RemotePath)
        assert partial.name == "model"
        (partial / "new").write_text("new")
        assert contents(target) == {"old": "old"}
    assert contents(target) == {"new": "new"}
    assert not partial.exists()


def test_after_a_failure_in_the_block_the_old_folder_stays(store: RemotePath) -> None:
    (store / "model").mkdir()
    (store / "model" / "old").write_text("old")
    with pytest.raises(KeyboardInterrupt), replace_folder(store / "model") as partial:
        (partial / "new").write_text("half")
        raise KeyboardInterrupt
    assert contents(store / "model") == {"old": "old"}


def test_a_fold_whose_copying_was_cut_off_is_no_fold(store, tmp_path, monkeypatch) -> None:
    fold = write_fold(tmp_path / "fold")

    class Killed(BaseException):
        pass

    def killed(source: Path, folder: Path) -> None:
        copy(source, folder)
        raise Killed

    copy = publishing.copy_tree
    with monkeypatch.context() as kill:
        kill.setattr(publishing, "copy_tree", killed)
        kill.setattr(publishing, "remove_tree", lambda folder: None)
        with pytest.raises(Killed), publish([store / "fold"]) as (partial,):
            copy(fold, partial)
    assert (store / "fold" / "test").is_dir()
    with pytest.raises(DataNotFoundError, match="not complete"):
        Fold.open(store / "fold")
    with publish([store / "fold"], overwrite=True) as (partial,):
        copy(fold, partial)
    assert not (store / "fold" / UNFINISHED).exists()
    assert Fold.open(store / "fold").content_fingerprint() == Fold.open(fold).content_fingerprint()


def test_a_folder_in_use_is_not_replaced(store: RemotePath) -> None:
    (store / "file").write_text("x")
    with pytest.raises(UsageError, match="--overwrite"), publish([store]):
        pass
    with pytest.raises(UsageError, match="--out"):
        make_folder(store / "file", "--out")
