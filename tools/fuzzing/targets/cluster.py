"""What a cluster says to its workers: TF_CONFIG and CLUSTER_SPEC."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from astromer.system.cluster import read_cluster
from tools.fuzzing.target import Target, allowed, require


def check(data: bytes, folder: Path) -> None:
    """A process learns its place among the others, or the variable is refused by its name."""
    text = data.decode("utf-8", errors="replace")
    for variable in ("TF_CONFIG", "CLUSTER_SPEC"):
        cluster = allowed(partial(read_cluster, {variable: text}), variable)
        if cluster is not None:
            count = sum(map(len, cluster.addresses.values()))
            require(count > 1, "a cluster of one")
            require(cluster.index < len(cluster.addresses[cluster.job]), "no such worker")


def seeds() -> Iterable[bytes]:
    """Descriptions as TFJob and Vertex write them."""
    return [
        b"",
        b'{"cluster": {"chief": ["a:1"], "worker": ["b:2"]}, "task": {"type": "worker", '
        b'"index": 0}}',
        b'{"cluster": {"workerpool0": ["a:1"], "workerpool1": ["b:2"]}, "task": {"type": '
        b'"workerpool1", "index": "0"}, "environment": "cloud"}',
        b"[" * 50,
    ]


TARGET = Target("cluster", "TF_CONFIG and CLUSTER_SPEC", check, seeds)
