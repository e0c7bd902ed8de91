from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tools.benchmarks.measuring.resources import held

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="not Linux")


def test_what_this_process_takes_shows(tmp_path):
    before = held(os.getpid(), 1.5)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    block = b"x" * (64 << 20)
    with open(tmp_path / "one", "w"):
        after = held(os.getpid(), 2.5)
    stop.set()
    thread.join()
    child.communicate(b"\n")
    assert (before.seconds, after.seconds) == (1.5, 2.5)
    assert after.handles == before.handles + 2  # the file, and the pipe to the child
    assert after.threads == before.threads + 1
    assert after.children == before.children + 1
    assert 60 < after.anonymous - before.anonymous < 100
    assert after.cpu >= before.cpu
    assert len(block) == 64 << 20


def test_a_process_that_has_ended_holds_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert held(child.pid, 0.0) is None


def test_threads_that_end_are_no_end_of_the_process() -> None:
    code = (
        "import threading\n"
        "while True:\n"
        "    for t in [threading.Thread(target=int) for _ in range(20)]:\n"
        "        t.start()\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code])
    try:
        assert all(held(child.pid, 0.0) for _ in range(300))
    finally:
        child.kill()
        child.wait()
