"""Two processes begin, stop and fail together."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.components.cluster_jobs import free_addresses

LONG = {"epochs": 100000, "patience": 100000, "learning_rate": 1e-4}

pytestmark = pytest.mark.slow


def start(
    small_run, folder: Path, jobs: Sequence[dict[str, Any] | None]
) -> list[subprocess.Popen[str]]:
    """Starts each job as one of the workers; None is one that never comes."""
    addresses = free_addresses(len(jobs))
    processes = []
    for index, job in enumerate(jobs):
        if job is not None:
            task = {"type": "worker", "index": index}
            described = json.dumps({"cluster": {"worker": addresses}, "task": task})
            environment = {
                "TF_CONFIG": described,
                "no_proxy": "127.0.0.1",
            }
            folder.mkdir(exist_ok=True)
            # One folder, as on storage that all see; the results apart.
            processes.append(small_run.start({folder / str(index): job}, environment))
    return processes


def ends(processes: list[subprocess.Popen[str]], seconds: float = 240) -> list[tuple[int, str]]:
    """Exit code and error line of each; TensorFlow may print others after it."""
    deadline = time.monotonic() + seconds
    try:
        told = [p.communicate(timeout=max(deadline - time.monotonic(), 1))[1] for p in processes]
    finally:
        for process in processes:
            process.kill()
    lines = [[line for line in err.splitlines() if line.startswith("error: ")] for err in told]
    assert all(len(each) == 1 for each in lines), told
    return [(p.returncode, each[0]) for p, each in zip(processes, lines)]


def test_a_signal_to_one_worker_stops_all_after_the_same_step(small_run, tmp_path: Path) -> None:
    processes = start(small_run, tmp_path / "w", [LONG, LONG])
    state = tmp_path / "w/0/checkpoints/state.npz"
    deadline = time.monotonic() + 200
    while not state.exists():
        assert all(p.poll() is None for p in processes), ends(processes)
        assert time.monotonic() < deadline
        time.sleep(0.05)
    processes[1].send_signal(signal.SIGTERM)  # a pod is asked to leave
    (code, said), (other_code, other_said) = ends(processes)
    assert (code, other_code) == (130, 130), said + other_said
    where = [text[: text.index("Its state")] for text in (said, other_said)]
    assert where[0] == where[1]
    assert "after step" in where[0]


def test_workers_with_other_settings_do_not_begin(small_run, tmp_path: Path) -> None:
    jobs = [{**LONG, "learning_rate": rate} for rate in (0.1, 0.2)]
    found = ends(start(small_run, tmp_path / "w", jobs))
    codes = {code for code, _ in found}
    assert 2 in codes
    assert codes <= {2, 138}
    assert all("the same settings and data" in said for _, said in found), found


@pytest.mark.parametrize("absent", [0, 1])
def test_a_worker_that_does_not_come_is_told(small_run, tmp_path: Path, absent: int) -> None:
    jobs: list[dict[str, Any] | None] = [{**LONG, "worker_seconds": 3.0}] * 2
    jobs[absent] = None
    [(code, said)] = ends(start(small_run, tmp_path / "w", jobs))
    assert code == 138, said
    assert said.startswith("error: All 2 workers must start within 3 s")
