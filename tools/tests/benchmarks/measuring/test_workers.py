from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_WAYS = """
import json, os, time
from tools.benchmarks.measuring.workers import running

def make(megabytes):
    made.append(os.getpid())
    def hold():
        held = bytearray(megabytes << 20)
        return float(os.getpid())
    return {"hold": hold, "fail": lambda: 1 // 0, "tell": lambda: float(len(made))}

made = []
makers = {"little": lambda: make(1), "much": lambda: make(200)}
"""
_TURNS = """
with running(makers) as workers:
    little, much = workers["little"], workers["much"]
    turns = [little.turn("hold"), much.turn("hold"), little.turn("hold"), much.turn("tell")]
    print(json.dumps([os.getpid(), list(much.names), len(made), little.peak, much.peak]))
    print(json.dumps([turn.work for turn in turns]))
    {last}
"""
_WAIT = """
makers["much"] = lambda: {"wait": lambda: time.sleep(600)}
with running(makers) as workers:
    print(json.dumps([int(workers["little"].turn("hold").work), workers["much"]._process.pid]))
    sys.stdout.flush()
    workers["much"].turn("wait")
"""


def test_each_worker_is_made_ready_once_and_tells_its_own_peak(toy) -> None:
    done = toy.python("-c", _WAYS + _TURNS.format(last=""))
    assert done.returncode == 0, done.stderr
    facts, works = map(json.loads, done.stdout.splitlines())
    parent, names, made, little, much = facts
    assert names == ["hold", "fail", "tell"]
    assert made == 0, "nothing is made ready in the parent"
    assert works[0] == works[2] != works[1] != parent
    assert works[3] == 1
    assert 190 << 20 < much - little < 250 << 20
    assert not any(alive(int(child)) for child in works[:2])


def test_a_failure_is_told(toy) -> None:
    done = toy.python("-c", _WAYS + _TURNS.format(last='little.turn("fail")'))
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    told = "RuntimeError: a process that was measured ended with status 1"
    assert done.stderr.splitlines()[-1] == told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupt_leaves_no_process_behind(toy, number: signal.Signals) -> None:
    program = f"""{_WAYS}
import sys
from astromer.commands.cli import run_program

def main():
{_indented(_WAIT)}

run_program(main)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=toy.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    children = json.loads(parent.stdout.readline())
    assert all(alive(child) for child in children)
    os.kill(parent.pid, number)
    if number == signal.SIGKILL:  # who is at work learns of it when that is done: not so soon
        os.kill(children[1], signal.SIGTERM)
    _, told = parent.communicate(timeout=60)
    assert "Traceback" not in told
    deadline = time.monotonic() + 30
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(child) for child in children)


def _indented(program: str) -> str:
    return "\n".join(f"    {line}" for line in program.splitlines())


def alive(process: int) -> bool:
    """Whether it exists, and is more than an entry that nobody has asked for."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
