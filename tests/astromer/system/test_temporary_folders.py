"""Folders of processes that are gone are removed by the next one, and no others."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from astromer.system.temporary_folders import scratch_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from astromer.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), ".work-") as folder:
    (folder / "file").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_one_at_work(parent: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(parent)])
    assert done.returncode == -signal.SIGKILL


def test_nothing_is_left_however_the_work_ends(tmp_path):
    with scratch_folder(tmp_path, ".work-") as folder:
        (folder / "file").touch()
    with pytest.raises(KeyboardInterrupt), scratch_folder(tmp_path, ".work-"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_others_work_on_stays(tmp_path):
    kill_one_at_work(tmp_path)
    [left] = tmp_path.iterdir()
    (tmp_path / ".work").mkdir()  # another name
    with scratch_folder(tmp_path, ".work-") as one, scratch_folder(tmp_path, ".work-") as other:
        assert not left.exists()
        assert one.is_dir()
        assert other.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [".work"]


def test_what_must_not_be_removed_is_taken_out_before(tmp_path):
    kill_one_at_work(tmp_path)

    def salvage(folder: Path) -> None:
        (folder / "file").rename(tmp_path / "saved")

    with scratch_folder(tmp_path, ".work-", salvage):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), scratch_folder(tmp_path / "missing", ".work-"):
        pass
