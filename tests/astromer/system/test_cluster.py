"""What Kubeflow's TFJob and Vertex tell a process about the others, and what they may get wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from astromer.system.cluster import Cluster, in_cluster, read_cluster
from astromer.system.errors import UsageError

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
