from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from astromer.system.files import replace_folder


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
from astromer import files
target, place = Path(sys.argv[1]), sys.argv[2]
rename = os.rename
def killed(one, other):
    if place == "after the first move":
        rename(one, other)
    os.kill(os.getpid(), signal.SIGKILL)
os.rename = killed
with files.replace_folder(target) as partial:
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


def test_others_may_read_it(tmp_path: Path) -> None:
    with replace_folder(tmp_path / "model"):
        pass
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755
