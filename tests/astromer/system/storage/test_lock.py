"""One run at a time in an output folder, here and in stores."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest

from astromer.system.errors import OutputLockedError, UsageError
from astromer.system.storage import lock
from astromer.system.storage.lock import LOCKS, locked
from tests.standins import refused_calls

HOLDER = """
import sys, time
from pathlib import Path
from astromer.system.storage.lock import locked
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


@pytest.mark.skipif(bool(refused_calls.obstacle()), reason=refused_calls.obstacle())
def test_without_the_system_s_locks_a_file_does(toy, tmp_path):
    second = """
import os, sys
from pathlib import Path
from astromer.system.storage.lock import has_locks, locked
folder = Path(sys.argv[1])
with locked(folder):
    print(has_locks(folder), len(os.listdir(folder / ".locks")))
    try:
        with locked(folder):
            print("twice")
    except Exception as error:
        print(error)
print(len(os.listdir(folder / ".locks")))
"""
    done = toy.python(*refused_calls.command("locks"), sys.executable, "-c", second, str(tmp_path))
    first, refused, last = done.stdout.splitlines()
    assert (first, last) == ("False 1", "0"), done.stderr
    assert "in use by process" in refused


def test_it_can_be_taken_again_after_an_error(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path / "new"):
        raise KeyError
    with locked(tmp_path / "new"):
        pass


def test_a_file_in_the_place_of_the_folder_is_a_usage_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--output"), locked(tmp_path / "file"):
        pass


def test_a_second_run_is_refused_and_told_who_holds_it(store):
    with locked(store):
        [own] = (store / LOCKS).iterdir()
        refused = pytest.raises(OutputLockedError, match=r"in use by process \d+ on .*is deleted")
        with refused, locked(store):
            pass
        assert list((store / LOCKS).iterdir()) == [own]
    assert list((store / LOCKS).iterdir()) == []


def test_that_of_a_store_can_be_taken_again_after_an_error(store):
    with pytest.raises(KeyError), locked(store / "new"):
        raise KeyError
    with locked(store / "new"):
        pass


def test_the_lock_of_a_killed_run_ends_after_some_minutes(store):
    file = store / LOCKS / "killed.json"
    file.parent.mkdir()
    for age, refused in ((1, True), (lock.STALE_SECONDS + 1, False)):
        file.write_text(json.dumps({"holder": "process 1", "time": time.time() - age}))
        if refused:
            with pytest.raises(OutputLockedError, match="process 1"), locked(store):
                pass
        else:
            with locked(store):
                pass
    assert not file.exists()


def test_a_run_that_goes_on_says_so(store, monkeypatch):
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.01)
    before = threading.active_count()
    with locked(store):
        [own] = (store / LOCKS).iterdir()
        began = json.loads(own.read_text())["time"]
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = lock._read(own).get("time", began)
            if found > began:
                break
            time.sleep(0.02)
        assert found > began
    assert threading.active_count() == before
    assert list((store / LOCKS).iterdir()) == []


def test_a_store_that_cannot_be_written_is_a_usage_error(store):
    (store / "file").touch()
    refused = pytest.raises(UsageError, match="--output must be a folder that can be written")
    with refused, locked(store / "file" / "outputs"):
        pass
