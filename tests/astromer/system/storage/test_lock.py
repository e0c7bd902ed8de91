"""One run at a time in an output folder."""

from __future__ import annotations

import subprocess
import sys

import pytest

from astromer.system.errors import OutputLockedError, UsageError
from astromer.system.storage.lock import locked

HOLDER = """
import sys, time
from pathlib import Path
from astromer.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputLockedError, match=f"process {holder.pid}"), locked(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with locked(tmp_path):  # a killed process leaves no lock behind
        pass


def test_it_can_be_taken_again_after_an_error(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path / "new"):
        raise KeyError
    with locked(tmp_path / "new"):
        pass


def test_a_file_in_the_place_of_the_folder_is_a_usage_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--output"), locked(tmp_path / "file"):
        pass
