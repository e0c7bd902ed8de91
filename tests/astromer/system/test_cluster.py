"""What Kubeflow's TFJob and Vertex tell a process about the others, and what they may get wrong."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from astromer.system.cluster import Cluster, connection_error, in_cluster, meet, read_cluster
from astromer.system.errors import UsageError, WorkerLostError
from tests.components.cluster_jobs import free_addresses

# As the training operator writes it for a TFJob with one chief, two workers and a server.
TFJOB: dict[str, Any] = {
    "cluster": {
        "chief": ["astromer-chief-0.default.svc:2222"],
        "ps": ["astromer-ps-0.default.svc:2222"],
        "worker": ["astromer-worker-0.default.svc:2222", "astromer-worker-1.default.svc:2222"],
    },
    "task": {"type": "worker", "index": 1},
    "environment": "cloud",
}
# As Vertex writes it for two worker pools.
VERTEX: dict[str, Any] = {
    "cluster": {
        "workerpool0": ["cmle-training-workerpool0-ab-0:2222"],
        "workerpool1": ["cmle-training-workerpool1-ab-0:2222"],
    },
    "environment": "cloud",
    "task": {"type": "workerpool0", "index": 0, "trial": "0"},
    "job": '{"worker_pool_specs": []}',
}


def read(tf_config: Any = "", cluster_spec: Any = "") -> Cluster | None:
    def text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    return read_cluster({"TF_CONFIG": text(tf_config), "CLUSTER_SPEC": text(cluster_spec)})


def changed(task: Any = None, **jobs: Any) -> dict[str, Any]:
    cluster = {**TFJOB["cluster"], **jobs}
    return {**TFJOB, "cluster": cluster, "task": task or TFJOB["task"]}


def test_a_tfjob_s_chief_and_workers_train_and_its_servers_do_not():
    cluster = read(TFJOB)
    assert cluster is not None
    assert len(cluster) == 3
    assert list(cluster.addresses) == ["chief", "worker"]
    assert (cluster.job, cluster.index, cluster.is_chief) == ("worker", 1, False)
    chief = read(changed({"type": "chief", "index": 0}))
    assert chief is not None
    assert chief.is_chief


def test_of_workers_alone_the_first_is_the_chief():
    workers = {"cluster": {"worker": ["a:1", "b:1"]}}
    chief = [read({**workers, "task": {"type": "worker", "index": i}}) for i in range(2)]
    assert [cluster.is_chief for cluster in chief if cluster] == [True, False]
    assert chief[0] is not None
    assert chief[0].leader == "worker"


def test_vertex_s_first_worker_pool_is_the_chief():
    cluster = read("", VERTEX)
    assert cluster is not None
    assert cluster.addresses["chief"] == ("cmle-training-workerpool0-ab-0:2222",)
    assert cluster.addresses["worker"] == ("cmle-training-workerpool1-ab-0:2222",)
    assert cluster.is_chief
    assert read(TFJOB, VERTEX) == read(TFJOB)  # TF_CONFIG goes first


ONE = {"cluster": {"worker": ["a:1"]}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{}",
        {"cluster": {}},
        ONE,
        {**ONE, "task": {"type": "worker", "index": 0}},
        {**VERTEX, "cluster": {"workerpool0": ["a:1"]}},
    ],
)
def test_a_cluster_of_one_is_no_cluster(text):
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ("worker", "JSON"),
        ({"cluster": 3}, "lists"),
        (changed(worker=5), "'worker'"),
        (changed(worker={"0": "a:1"}), "'host:port'"),
        (changed(worker=["a"]), "'host:port'"),
        (changed(worker=["a:port", "b:1"]), "'host:port'"),
        (changed(worker=["a:1", "a:1"]), "of its own"),
        (changed(chief=["a:1", "b:1"]), "one chief"),
        (changed(wroker=["a:1"]), "'wroker'"),
        (changed({"type": "worker"}), "'index'"),
        (changed({"index": 0}), "'type'"),
        (changed({"type": "worker", "index": 2}), "worker 2"),
        (changed({"type": "worker", "index": -1}), "worker -1"),
        (changed({"type": "worker", "index": True}), "number"),
        ({"cluster": TFJOB["cluster"]}, "'task'"),
    ],
)
def test_a_malformed_description_is_told_with_what_was_received(text, said):
    with pytest.raises(UsageError, match="TF_CONFIG must") as caught:
        read(text)
    assert said in str(caught.value)
    assert "Received" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="CLUSTER_SPEC"):
        read("", text)


@pytest.mark.parametrize("task", [{"type": "ps", "index": 0}, {"type": "evaluator", "index": 0}])
def test_servers_and_evaluators_have_nothing_to_do(task):
    with pytest.raises(UsageError, match=f"Remove the {task['type']} replicas"):
        read(changed(task))


def test_a_process_knows_whether_a_job_started_it():
    assert not in_cluster({})
    assert in_cluster({"TF_CONFIG": "{"})
    assert in_cluster({"CLUSTER_SPEC": "{}"})


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


def test_nothing_is_said_of_what_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert connection_error(*server.getsockname()) == ""


def test_a_port_without_a_listener_refuses():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert connection_error(*taken.getsockname()) == "Connection refused"


def test_a_failure_without_a_word_is_one(monkeypatch: pytest.MonkeyPatch):
    def fail(*given: object) -> None:
        raise OSError

    monkeypatch.setattr(socket, "create_connection", fail)
    assert connection_error("host", 1) == "OSError"
