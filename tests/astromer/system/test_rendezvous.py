from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from astromer.system.cluster import Cluster
from astromer.system.errors import UsageError, WorkerLostError
from astromer.system.rendezvous import meet
from tests.components.cluster_jobs import free_addresses


@pytest.fixture
def clusters() -> list[Cluster]:
    """As the chief and two workers see it."""
    chief, *workers = free_addresses(3)
    jobs = {"chief": (chief,), "worker": tuple(workers)}
    return [Cluster(jobs, "chief", 0), Cluster(jobs, "worker", 0), Cluster(jobs, "worker", 1)]


class Processes:
    """Threads that meet, and then listen in the place of TensorFlow."""

    def __init__(self) -> None:
        self.open = ExitStack()
        self.pool = self.open.enter_context(ThreadPoolExecutor(8))

    def start(self, cluster: Cluster, seconds: float, listens: bool = True) -> Future[None]:
        return self.pool.submit(self._meet, cluster, seconds, listens)

    def _meet(self, cluster: Cluster, seconds: float, listens: bool) -> None:
        meet(cluster, seconds)
        if listens and not cluster.is_chief:
            self.open.enter_context(socket.create_server(_place(cluster.own_address)))


@pytest.fixture
def processes() -> Iterator[Processes]:
    found = Processes()
    with found.open:
        yield found


def _place(address: str) -> tuple[str, int]:
    host, port = address.split(":")
    return host, int(port)


@pytest.mark.parametrize("late", [0, 1, 2])
def test_all_meet_whoever_is_late(clusters, processes: Processes, late: int) -> None:
    early = [processes.start(c, 30) for i, c in enumerate(clusters) if i != late]
    time.sleep(0.5)
    assert not any(each.done() for each in early)
    last = processes.start(clusters[late], 30)
    for each in (*early, last):
        each.result(timeout=20)


def test_worker_0_leads_where_there_is_no_chief(processes: Processes) -> None:
    jobs = {"worker": tuple(free_addresses(2))}
    for each in [processes.start(Cluster(jobs, "worker", index), 30) for index in (1, 0)]:
        each.result(timeout=20)


def test_a_worker_that_does_not_come_is_named_to_all(clusters, processes: Processes) -> None:
    chief, one, other = clusters
    waiting = [processes.start(each, 1.5) for each in (chief, one)]
    with pytest.raises(WorkerLostError, match=r"All 3 workers must start within 1\.5 s") as error:
        waiting[0].result(timeout=20)
    assert f"did not find {other.own_address}: nothing listens" in str(error.value)
    with pytest.raises(WorkerLostError, match=f"did not find {chief.own_address}: it did not call"):
        waiting[1].result(timeout=20)


def test_a_worker_that_is_lost_after_the_call_is_named(clusters, processes: Processes) -> None:
    waiting = [processes.start(each, 2, listens=each is not clusters[2]) for each in clusters]
    with pytest.raises(WorkerLostError, match=f"did not find {clusters[2].own_address}"):
        waiting[0].result(timeout=20)
    for each in waiting[1:]:
        each.result(timeout=20)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n\r\n", b"beg"])
def test_whoever_else_connects_is_no_chief(clusters, processes: Processes, said: bytes) -> None:
    worker = processes.start(clusters[1], 30)
    for _ in range(100):
        try:
            stranger = socket.create_connection(_place(clusters[1].own_address))
            break
        except OSError:
            time.sleep(0.05)
    with stranger, socket.create_connection(_place(clusters[1].own_address)) as another:
        stranger.sendall(said)
        another.sendall(said)
        others = [processes.start(clusters[i], 30) for i in (0, 2)]
        for each in (worker, *others):
            each.result(timeout=20)


def test_a_port_in_use_is_told(clusters) -> None:
    address = clusters[1].own_address
    with (
        socket.create_server(_place(address)),
        pytest.raises(UsageError, match=f"Received: {address}: Address already in use"),
    ):
        meet(clusters[1], 5)


def test_it_takes_no_longer_than_it_says(clusters) -> None:
    started = time.monotonic()
    with pytest.raises(WorkerLostError):
        meet(clusters[2], 0.5)
    assert 0.4 < time.monotonic() - started < 5
