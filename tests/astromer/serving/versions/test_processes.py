"""Kills at any moment and several processes at once leave the alias and the versions whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from astromer.serving.checksums import Differences, verify
from astromer.serving.versions.folder import aliased, newest, versions
from astromer.serving.versions.promotion import promote, rollback
from tests.astromer.conftest import saved_model

HERE = Path(__file__).parent
ROOT = Path(__file__).resolve().parents[4]


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def end(process: subprocess.Popen[str]) -> str:
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return said


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("push", "3", "the clock's"),
        ("promote", "3", "1"),
        ("rollback", "3", "2"),
        ("restore", "2", "2"),
    ],
)
def test_killed_at_any_file_operation(pushed, tmp_path, action, before, after) -> None:
    folder = pushed(tmp_path / "serving" / "astromer")
    saved_model(tmp_path / "model", "4")
    if action == "restore":
        rollback(folder, withdraw_newer=True)
    operations = int(end(start("killing.py", tmp_path, action, before, after)))
    assert operations > 4


def test_a_reader_never_sees_a_half_or_a_missing_version(pushed, tmp_path) -> None:
    folder = pushed(tmp_path / "serving" / "astromer")
    reader, *writers = (
        start("racing.py", work, folder, seconds)
        for work, seconds in (("read_all", 1.5), ("promote_all", 1.2), ("promote_all", 1.2))
    )
    killed = start("racing.py", "promote_all", folder, 60)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "begun\n"
    time.sleep(0.5)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert int(end(reader).split()[-1]) > 1
    assert sum(int(end(writer).split()[-1]) for writer in writers) > 3
    promote(folder, "2")
    assert aliased(folder) == folder / "2"


def test_pushes_at_once_get_numbers_of_their_own_and_the_alias_follows(pushed, tmp_path) -> None:
    folder = pushed(tmp_path / "serving" / "astromer", 1)
    for process in [start("racing.py", "push_all", folder, 5) for _ in range(2)]:
        end(process)
    found = versions(folder)
    assert len(found) == 11
    assert all(verify(version) == Differences() for version in found)
    assert aliased(folder) == newest(folder)
