"""Jobs of several workers, as Kubeflow and Vertex start them on several hosts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tests.standins.hosts import Hosts

ROOT = Path(__file__).resolve().parents[2]


def free_addresses(count: int) -> list[str]:
    """Loopback addresses that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses


def tfjob(replicas: Mapping[str, int], hosts: Hosts) -> list[dict[str, str]]:
    """The environments that Kubeflow's training operator gives to the replicas of a TFJob."""
    addresses = iter(hosts.addresses)
    cluster = {kind: list(islice(addresses, count)) for kind, count in replicas.items()}
    return [
        {
            "TF_CONFIG": json.dumps(
                {
                    "cluster": cluster,
                    "task": {"type": kind, "index": index},
                    "environment": "cloud",
                }
            )
        }
        for kind, count in replicas.items()
        for index in range(count)
        if kind in ("chief", "worker")
    ]


def vertex(pools: Sequence[int], hosts: Hosts) -> list[dict[str, str]]:
    """The environments of the replicas of Vertex's worker pools."""
    addresses = iter(hosts.addresses)
    cluster = {f"workerpool{i}": list(islice(addresses, n)) for i, n in enumerate(pools)}
    return [
        {
            "CLUSTER_SPEC": json.dumps(
                {
                    "cluster": cluster,
                    "environment": "cloud",
                    "task": {"type": pool, "index": index, "trial": "0"},
                    "job": "{}",
                }
            )
        }
        for pool, members in cluster.items()
        for index in range(len(members))
    ]


class Job:
    """One command on several hosts, each with an environment of its own.

    Args:
        commands: the command of each process.
        environments: what each has in its environment beside this one's.
        folder: of the logs.
        hosts: as many, or more.
    """

    def __init__(
        self,
        commands: Sequence[Sequence[str]],
        environments: Sequence[Mapping[str, str]],
        folder: Path,
        hosts: Hosts,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.logs = [folder / f"{index}.log" for index in range(len(environments))]
        self.processes = []
        each = zip(hosts.prefixes, commands, environments, self.logs)
        for prefix, command, environment, log in each:
            with open(log, "w") as file:
                self.processes.append(
                    subprocess.Popen(
                        [*prefix, sys.executable, *command],
                        cwd=ROOT,
                        env={
                            **os.environ,
                            "PYTHONPATH": str(ROOT),
                            "PYTHONUNBUFFERED": "1",
                            "TF_CPP_MIN_LOG_LEVEL": "3",
                            **environment,
                        },
                        stdin=subprocess.DEVNULL,
                        stdout=file,
                        stderr=subprocess.STDOUT,
                    )
                )

    def wait(self, seconds: float = 300) -> list[int]:
        """The exit codes; kills what has not ended in time."""
        deadline = time.monotonic() + seconds
        try:
            return [p.wait(max(deadline - time.monotonic(), 0.1)) for p in self.processes]
        finally:
            self.kill()

    def wait_until(self, ready: Callable[[], Any], seconds: float = 180) -> None:
        """Returns when something is so; fails when a process ends before."""
        deadline = time.monotonic() + seconds
        while not ready():
            assert all(p.poll() is None for p in self.processes), self.told()
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.05)

    def kill(self) -> None:
        """Kills what still runs."""
        for process in self.processes:
            process.kill()
            process.wait()

    def told(self) -> str:
        """The last lines of all logs."""
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in self.logs)

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()


def executor_command(
    executor: str, inputs: Mapping, outputs: Mapping, exec_properties: Mapping
) -> list[str]:
    """The command that TFX and Vertex run an executor by."""
    from tfx.types import artifact_utils

    return [
        "-m",
        "tfx.scripts.run_executor",
        f"--executor_class_path={executor}",
        f"--inputs={artifact_utils.jsonify_artifact_dict(dict(inputs))}",
        f"--outputs={artifact_utils.jsonify_artifact_dict(dict(outputs))}",
        f"--exec-properties={json.dumps(dict(exec_properties))}",
    ]
