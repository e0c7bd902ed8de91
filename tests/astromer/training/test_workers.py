"""Two hosts begin, stop and fail together."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.components.cluster_jobs import tfjob
from tests.standins.hosts import Hosts

LONG = {"epochs": 100000, "patience": 100000, "learning_rate": 1e-4}

pytestmark = pytest.mark.slow


Start = Callable[[Path, Sequence[dict[str, Any] | None]], list[subprocess.Popen[str]]]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with Hosts(2) as found:
        yield found


@pytest.fixture
def start(small_run, hosts: Hosts) -> Start:
    """Starts each job on a host; None is one that never comes."""

    def start(folder: Path, jobs: Sequence[dict[str, Any] | None]) -> list[subprocess.Popen[str]]:
        (folder / "1").mkdir(parents=True, exist_ok=True)
        if not (folder / "1/checkpoints").exists():  # storage that both see; the results apart
            (folder / "1/checkpoints").symlink_to("../0/checkpoints")
        return [
            small_run.start({folder / str(index): job}, environment, prefix)
            for index, (job, environment, prefix) in enumerate(
                zip(jobs, tfjob({"worker": 2}, hosts), hosts.prefixes)
            )
            if job is not None
        ]

    return start


def ends(processes: list[subprocess.Popen[str]], seconds: float = 240) -> list[tuple[int, str]]:
    """Exit code of each, and what it wrote to the terminal: an error's line, or nothing."""
    deadline = time.monotonic() + seconds
    try:
        told = [p.communicate(timeout=max(deadline - time.monotonic(), 1))[1] for p in processes]
    finally:
        for process in processes:
            process.kill()
    for process, text in zip(processes, told):
        assert len(text.splitlines()) == bool(process.returncode), told
        assert text.startswith("error: " if process.returncode else ""), told
    return [(p.returncode, text) for p, text in zip(processes, told)]


def wait_for_checkpoint(folder: Path, processes: list[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + 200
    while not (folder / "0/checkpoints/state.npz").exists():
        assert all(p.poll() is None for p in processes), ends(processes)
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_signal_to_one_worker_stops_all_after_the_same_step(start: Start, tmp_path: Path) -> None:
    processes = start(tmp_path / "w", [LONG, LONG])
    wait_for_checkpoint(tmp_path / "w", processes)
    processes[1].send_signal(signal.SIGTERM)  # a pod is asked to leave
    (code, said), (other_code, other_said) = ends(processes)
    assert (code, other_code) == (130, 130), said + other_said
    where = [text[: text.index("Its state")] for text in (said, other_said)]
    assert where[0] == where[1]
    assert "after step" in where[0]


def test_a_link_cut_in_the_middle_ends_both_hosts_and_the_run_goes_on(
    start: Start, hosts: Hosts, tmp_path: Path
) -> None:
    jobs = [{"epochs": 30, "patience": 30}] * 2
    assert [code for code, _ in ends(start(tmp_path / "whole", jobs))] == [0, 0]
    processes = start(tmp_path / "cut", jobs)
    wait_for_checkpoint(tmp_path / "cut", processes)
    hosts.link(1, "down")
    cut = time.monotonic()
    found = ends(processes)
    took = time.monotonic() - cut
    assert [code for code, _ in found] == [138, 138], found
    assert took < 20, took
    hosts.link(1, "up")
    assert [code for code, _ in ends(start(tmp_path / "cut", jobs))] == [0, 0]
    whole, resumed = (np.load(tmp_path / run / "0/result.npz") for run in ("whole", "cut"))
    assert len(json.loads(str(resumed["history"]))) == 30
    weights = [name for name in whole.files if name != "history"]  # which has seconds
    assert all(whole[name].tobytes() == resumed[name].tobytes() for name in weights)


def test_workers_with_other_settings_do_not_begin(start: Start, tmp_path: Path) -> None:
    jobs = [{**LONG, "learning_rate": rate} for rate in (0.1, 0.2)]
    found = ends(start(tmp_path / "w", jobs))
    codes = {code for code, _ in found}
    assert 2 in codes
    assert codes <= {2, 138}
    assert all("the same settings and data" in said for _, said in found), found


@pytest.mark.parametrize("absent", [0, 1])
def test_a_worker_that_does_not_come_is_told(start: Start, tmp_path: Path, absent: int) -> None:
    jobs: list[dict[str, Any] | None] = [{**LONG, "worker_seconds": 3.0}] * 2
    jobs[absent] = None
    [(code, said)] = ends(start(tmp_path / "w", jobs))
    assert code == 138, said
    assert said.startswith("error: All 2 workers must start within 3 s")
