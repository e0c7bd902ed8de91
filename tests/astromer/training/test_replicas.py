from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astromer.training.report import TrainingResult

# 10 windows: batches of 4, 4 and 2 leave the second replica none of the last one, and batches
# of 3, 3, 3 and 1 divide unevenly.
RUNS: dict[str, dict[str, Any]] = {
    "even": {"epochs": 7, "batch_size": 4, "learning_rate": 0.003},
    "odd and clipped": {"epochs": 5, "batch_size": 3, "learning_rate": 0.003, "clip_norm": 0.1},
}


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def assert_same_run(one: TrainingResult, output: Path) -> None:
    """Compares a run of one replica with what worker.py wrote about one of several."""
    with np.load(output) as two:
        history = json.loads(str(two["history"]))
        weights = {path: two[path] for path in two.files if path != "history"}
    for here, there in zip(one.history, history, strict=True):
        for metric in ("train_loss", "train_hidden_rmse", "val_hidden_rmse"):
            assert here[metric] == pytest.approx(there[metric], abs=1e-4), metric
    assert one.history[0]["train_loss"] - one.history[-1]["train_loss"] > 0.1
    for variable in one.model.variables:
        got, expected = weights[variable.path], np.asarray(variable)
        if variable.path.endswith("qkv/bias"):
            # No output depends on the keys' bias: its gradient is rounding, which Adam blows up.
            width = len(expected) // 3
            got, expected = (np.delete(b, np.s_[width : 2 * width]) for b in (got, expected))
        assert got == pytest.approx(expected, abs=2e-4), variable.path


@pytest.mark.parametrize("name", RUNS)
def test_two_replicas_train_as_one_does(small_run, tmp_path: Path, name: str) -> None:
    # Logical devices must be made before TensorFlow starts: in a fresh process.
    process = small_run.start({tmp_path / "two": {**RUNS[name], "replicas": 2}})
    one = small_run(tmp_path / "one", **RUNS[name])
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert_same_run(one, tmp_path / "two" / "result.npz")


def test_two_workers_train_as_one_replica_does(small_run, tmp_path: Path) -> None:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    folders = [tmp_path / f"worker-{index}" for index in range(2)]
    processes = []
    for index, folder in enumerate(folders):
        task = {"type": "worker", "index": index}
        cluster = {"cluster": {"worker": addresses}, "task": task}
        env = {"TF_CONFIG": json.dumps(cluster), "no_proxy": "127.0.0.1"}
        processes.append(small_run.start({folder: RUNS["odd and clipped"]}, env))
    one = small_run(tmp_path / "one", **RUNS["odd and clipped"])
    try:
        for process in processes:
            _, err = process.communicate(timeout=240)
            assert process.returncode == 0, err
    finally:
        for process in processes:
            process.kill()
    for folder in folders:
        assert_same_run(one, folder / "result.npz")
    # The chief alone writes.
    assert (folders[0] / "checkpoints" / "state.npz").is_file()
    assert not (folders[1] / "checkpoints").exists()
    assert not list(folders[1].glob("logs/events.*"))
