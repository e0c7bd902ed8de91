"""Each invariant is told to be broken where it is, and only there."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

from astromer.serving.versions.folder import newest
from astromer.training.state import Progress, StateFile
from tools.faults.invariants import (
    bad_alias,
    half_versions,
    left_processes,
    lost_checkpoints,
    read_progress,
    staged_leftovers,
)


def test_a_whole_version_is_fine(place):
    assert half_versions(place.serving) == []
    assert bad_alias(place.serving) == []
    assert staged_leftovers(place.serving) == []


def test_a_half_version(place):
    version = newest(place.serving)
    (version / "variables" / "variables.index").unlink()
    [told] = half_versions(place.serving)
    assert "missing: variables/variables.index" in told

    (version / "checksums.txt").unlink()
    [told] = half_versions(place.serving)
    assert "no checksums" in told


def test_a_version_without_its_graph_is_half_though_no_server_takes_it(place):
    (newest(place.serving) / "saved_model.pb").unlink()
    [told] = half_versions(place.serving)
    assert "missing: saved_model.pb" in told


def test_a_changed_file(place):
    (newest(place.serving) / "saved_model.pb").write_text("another")
    [told] = half_versions(place.serving)
    assert "changed: saved_model.pb" in told


def test_an_alias_of_nothing(place):
    shutil.rmtree(newest(place.serving))
    [told] = bad_alias(place.serving)
    assert told.startswith("bad alias: latest must name a complete version")
    (place.serving / "latest").unlink()
    assert bad_alias(place.serving) == ["bad alias: there is none"]


def test_what_lies_in_the_staging_folder(place):
    (place.serving.parent / ".staging" / place.serving.name).mkdir(parents=True)
    [told] = staged_leftovers(place.serving)
    assert told.startswith("staging leftover")


def test_a_training_state_that_cannot_be_read(place):
    file = StateFile(place.output / "training" / "abc" / "checkpoints")
    file.save(Progress("abc", epoch=2, step=3), {"weights": [np.arange(1000.0)]})
    assert lost_checkpoints(place.output) == []
    assert read_progress(file.path) == (2, 3)

    file.path.write_bytes(file.path.read_bytes()[:-200])
    [told] = lost_checkpoints(place.output)
    assert told.startswith("lost checkpoint")


def test_a_process_that_outlives_the_leader_of_its_session():
    leader = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!"], stdout=-1, start_new_session=True)
    left = int(leader.stdout.readline())
    leader.wait()
    cmdline = Path(f"/proc/{left}/cmdline")
    while not cmdline.read_bytes().startswith(b"sleep"):  # a copy of the shell at first
        time.sleep(0.01)
    try:
        assert left_processes(leader.pid) == [f"leftover process: {left}: sleep 60 "]
    finally:
        subprocess.run(["kill", str(left)], check=True)
        leader.stdout.close()
    quick = subprocess.Popen(["true"], start_new_session=True)
    quick.wait()
    assert left_processes(quick.pid) == []
