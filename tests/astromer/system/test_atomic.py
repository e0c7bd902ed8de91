"""Files and folders appear whole or not at all, here and in stores; leftovers of the dead go."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from astromer.records.fold import Fold
from astromer.records.writer import write_folders
from astromer.system import atomic
from astromer.system.atomic import (
    UNFINISHED,
    replace_file,
    replace_folder,
    temporary_folder,
    write_file,
)
from astromer.system.errors import DataNotFoundError, UsageError
from astromer.system.storage import RemotePath, make_folder
from tests.pipeline.folds import write_fold


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model"
    with replace_folder(target) as partial:
        (partial / "a").write_text("new")
        assert not target.exists()
        assert partial.is_relative_to(target.parent)  # the same file system
    assert contents(target) == {"a": "new"}
    assert [path.name for path in target.parent.iterdir()] == ["model"]


def test_an_old_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    with replace_folder(target) as partial:
        assert contents(target) == {"old": "old"}
        (partial / "new").write_text("new")
    assert contents(target) == {"new": "new"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_after_a_failure_the_old_folder_stays_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(error), replace_folder(target) as partial:
        (partial / "new").write_text("half")
        raise error
    assert contents(target) == {"old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


KILLED = """
import os, signal, sys
from pathlib import Path
from astromer.system.atomic import replace_folder
target, place = Path(sys.argv[1]), sys.argv[2]
rename = os.rename
def killed(one, other):
    if place == "after the first move":
        rename(one, other)
    os.kill(os.getpid(), signal.SIGKILL)
os.rename = killed
with replace_folder(target) as partial:
    (partial / "new").write_text("half")
"""


@pytest.mark.parametrize("place", ["before the moves", "after the first move"])
def test_what_a_killed_process_left_is_settled_by_the_next_one(tmp_path: Path, place: str) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    command = [sys.executable, "-c", KILLED, str(target), place]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert target.exists() == (place == "before the moves")
    assert len(list(tmp_path.iterdir())) == 1 + target.exists()

    with pytest.raises(RuntimeError), replace_folder(target):
        assert contents(target) == {"old": "old"}
        raise RuntimeError
    assert contents(target) == {"old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_another_process_is_at_work_on_stays(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with replace_folder(target) as slow:
        with replace_folder(target) as quick:
            (quick / "quick").write_text("")
        assert slow.is_dir()
        (slow / "slow").write_text("")
    assert contents(target) == {"slow": ""}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / ("x" * 250 + ".json")
    write_file(file, "old")
    with pytest.raises(KeyboardInterrupt), replace_file(file) as partial:
        partial.write_text("half")
        assert file.read_text() == "old"
        raise KeyboardInterrupt
    assert contents(tmp_path) == {file.name: "old"}
    with replace_file(file, shared=True) as one, replace_file(file) as other:
        one.write_text("one")
        other.write_text("other")
    assert contents(tmp_path) == {file.name: "one"}


def test_a_file_of_a_store_is_replaced_as_a_whole(store: RemotePath) -> None:
    write_file(store / "file", "old")
    write_file(store / "file", "new")
    assert contents(store) == {"file": "new"}


def test_others_may_read_it(tmp_path: Path) -> None:
    with replace_folder(tmp_path / "model"):
        pass
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755


AT_WORK = """
import os, signal, sys
from pathlib import Path
from astromer.system.atomic import temporary_folder
with temporary_folder(Path(sys.argv[1]), ".work-") as folder:
    (folder / "file").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_one_at_work(parent: Path) -> None:
    done = subprocess.run([sys.executable, "-c", AT_WORK, str(parent)])
    assert done.returncode == -signal.SIGKILL


def test_nothing_is_left_however_the_work_ends(tmp_path):
    with temporary_folder(tmp_path, ".work-") as folder:
        (folder / "file").touch()
    with pytest.raises(KeyboardInterrupt), temporary_folder(tmp_path, ".work-"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_others_work_on_stays(tmp_path):
    kill_one_at_work(tmp_path)
    [left] = tmp_path.iterdir()
    (tmp_path / ".work").mkdir()  # another name
    with temporary_folder(tmp_path, ".work-") as one, temporary_folder(tmp_path, ".work-") as other:
        assert not left.exists()
        assert one.is_dir()
        assert other.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [".work"]


def test_what_must_not_be_removed_is_taken_out_before(tmp_path):
    kill_one_at_work(tmp_path)

    def salvage(folder: Path) -> None:
        (folder / "file").rename(tmp_path / "saved")

    with temporary_folder(tmp_path, ".work-", salvage):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), temporary_folder(tmp_path / "missing", ".work-"):
        pass


def test_an_old_folder_of_a_store_is_replaced_as_a_whole(store: RemotePath) -> None:
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


def test_after_a_failure_the_old_folder_of_a_store_stays(store: RemotePath) -> None:
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

    copy = atomic.copy_tree
    with monkeypatch.context() as kill:
        kill.setattr(atomic, "copy_tree", killed)
        kill.setattr(atomic, "remove_tree", lambda folder: None)
        with pytest.raises(Killed), write_folders([store / "fold"]) as (partial,):
            copy(fold, partial)
    assert (store / "fold" / "test").is_dir()
    with pytest.raises(DataNotFoundError, match="not complete"):
        Fold.open(store / "fold")
    with write_folders([store / "fold"], overwrite=True) as (partial,):
        copy(fold, partial)
    assert not (store / "fold" / UNFINISHED).exists()
    assert Fold.open(store / "fold").content_fingerprint() == Fold.open(fold).content_fingerprint()


def test_a_folder_in_use_is_not_replaced(store: RemotePath) -> None:
    (store / "file").write_text("x")
    with pytest.raises(UsageError, match="--overwrite"), write_folders([store]):
        pass
    with pytest.raises(UsageError, match="--out"):
        make_folder(store / "file", "--out")
