"""The processes that train together: which they are, and how they find each other.

Kubeflow's TFJob or Vertex describes them in an environment variable. TensorFlow then waits for
others inside native code, where neither a time limit nor a signal reaches it everywhere. So each
process but the chief first listens at the address where TensorFlow will; the chief calls all of
them once it has seen all. Imports the standard library only.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from astromer.system.errors import UsageError, WorkerLostError
from astromer.system.text import brief
from astromer.system.untrusted_files import parse_json

CHIEF, WORKER = "chief", "worker"
WORKER_SECONDS = 900.0
"""Longest wait for the other workers by default."""
_NOT_TRAINING = ("ps", "evaluator")
_SAME = {
    "master": CHIEF,
    # Vertex's worker pools.
    "workerpool0": CHIEF,
    "workerpool1": WORKER,
    "workerpool2": "ps",
    "workerpool3": "evaluator",
}
_VARIABLES = ("TF_CONFIG", "CLUSTER_SPEC")
_EXAMPLE = (
    '{"cluster": {"chief": ["a:2222"], "worker": ["b:2222"]}, "task": {"type": "worker", '
    '"index": 0}}'
)


@dataclass(frozen=True)
class Cluster:
    """The processes that train together, and which of them this is.

    Attributes:
        addresses: "host:port" of each, by job: "chief" (at most one), "worker".
        job: of this process.
        index: of this process within its job.
    """

    addresses: dict[str, tuple[str, ...]]
    job: str
    index: int

    def __len__(self) -> int:
        return sum(map(len, self.addresses.values()))

    @property
    def everyone(self) -> list[str]:
        """The addresses of all, the chief's first."""
        return [address for job in (CHIEF, WORKER) for address in self.addresses.get(job, ())]

    @property
    def own_address(self) -> str:
        """The address of this process."""
        return self.addresses[self.job][self.index]

    @property
    def leader(self) -> str:
        """Job that holds the process which writes: the chief's, else the workers'."""
        return CHIEF if CHIEF in self.addresses else WORKER

    @property
    def is_chief(self) -> bool:
        """Whether this process writes: the chief, or worker 0 where there is none."""
        return (self.job, self.index) == (self.leader, 0)


def read_cluster(environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """The cluster in TF_CONFIG, or else in Vertex's CLUSTER_SPEC; None for a single process.

    Parameter servers and evaluators, which may be listed, take no part in it.

    Raises:
        UsageError: the variable is malformed, or calls this process one of them.
    """
    for variable in _VARIABLES:
        if environment.get(variable, "").strip():
            return _Description(variable, environment[variable]).cluster()
    return None


def in_cluster(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether TFJob or Vertex has started this process, even with a malformed variable."""
    return any(environment.get(variable, "").strip() for variable in _VARIABLES)


def leave(code: int) -> NoReturn:
    """Ends this process, in a cluster that has lost a worker at once.

    Raises:
        SystemExit: elsewhere. TensorFlow would wait for the lost worker at the end of a process.
    """
    if in_cluster() and code == WorkerLostError.exit_code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    raise SystemExit(code)


class _Description:
    """Reads the value of a variable."""

    def __init__(self, variable: str, text: str):
        self.variable, self.text = variable, text

    def cluster(self) -> Cluster | None:
        try:
            content = parse_json(self.text)
        except ValueError as error:
            raise self._wrong(f"be JSON: {error}") from error
        if not isinstance(content, dict):
            raise self._wrong("be a JSON object")
        jobs = content.get("cluster") or {}
        if not isinstance(jobs, dict):
            raise self._wrong("name lists of addresses under 'cluster'")
        addresses: dict[str, tuple[str, ...]] = {}
        for name, members in jobs.items():
            job = _job(name)
            addresses[job] = addresses.get(job, ()) + self._members(name, members)
        job, index = self._task(content.get("task"), addresses)
        training = {job: addresses[job] for job in (CHIEF, WORKER) if addresses.get(job)}
        if len(training.get(CHIEF, ())) > 1:
            raise self._wrong("name one chief at most")
        everyone = [address for members in training.values() for address in members]
        if len(set(everyone)) < len(everyone):
            raise self._wrong("give each worker an address of its own")
        if job in _NOT_TRAINING:
            raise UsageError(
                f"Training has tasks for a chief and workers only. {self.variable} calls this "
                f"process {job} {index}. Remove the {job} replicas from the job."
            )
        return Cluster(training, job, index) if len(everyone) > 1 else None

    def _members(self, name: str, members: Any) -> tuple[str, ...]:
        if name not in (*_SAME, CHIEF, WORKER, *_NOT_TRAINING):
            raise self._wrong(f"name the jobs chief, worker, ps and evaluator only, not {name!r}")
        if not isinstance(members, list) or not all(map(_is_address, members)):
            # TFJob's enableDynamicWorker makes a mapping of it, which names some workers only.
            raise self._wrong(f"list all addresses of {name!r} as 'host:port'")
        return tuple(members)

    def _task(self, task: Any, addresses: Mapping[str, tuple[str, ...]]) -> tuple[str, int]:
        if task is None and sum(map(len, addresses.values())) < 2:
            return CHIEF, 0  # alone
        if not isinstance(task, dict) or not isinstance(task.get("type"), str):
            raise self._wrong("have the 'task' of this process with 'type' and 'index'")
        job, index = _job(task["type"]), task.get("index")
        if isinstance(index, str) and index.isdecimal():
            index = int(index)
        if not isinstance(index, int) or isinstance(index, bool):
            raise self._wrong("give 'index' in 'task' as a number")
        if job == "evaluator":
            return job, index  # TFJob does not list them
        if not 0 <= index < len(addresses.get(job, ())):
            raise self._wrong(f"list {task['type']} {index}, which 'task' says this process is")
        return job, index

    def _wrong(self, rule: str) -> UsageError:
        shown = self.text if len(self.text) <= 300 else self.text[:300] + " ..."
        return UsageError(
            f"{self.variable} must {rule}. Received: {shown!r}. Example: {_EXAMPLE}. Unset it to "
            "train in this process alone."
        )


def _job(name: str) -> str:
    return _SAME.get(name, name)


def _is_address(member: Any) -> bool:
    if not isinstance(member, str):
        return False
    host, colon, port = member.rpartition(":")
    return bool(host and colon) and port.isdecimal() and 0 < int(port) < 65536


_CALL = b"begin\n"
_EXCHANGE = 2.0  # seconds for any other client that connects
_CALLING = 30.0  # seconds for the answer of a process that may have to close other connections
_PAUSE = 0.2


def meet(cluster: Cluster, seconds: float) -> None:
    """Returns when all processes of the cluster have started.

    The chief also waits until TensorFlow listens in the others.

    Args:
        cluster: two processes or more.
        seconds: how long to wait for the others.

    Raises:
        UsageError: this process's port is in use.
        WorkerLostError: another did not come in time.
    """
    deadline = time.monotonic() + seconds
    if not cluster.is_chief:
        _wait_for_call(cluster, seconds, deadline)
        return
    others = [address for address in cluster.everyone if address != cluster.own_address]
    missing = _without(others, _listens, deadline)
    if not missing:
        missing = [address for address in others if not _call(address)]
    if not missing:
        missing = _without(others, _listens, time.monotonic() + seconds)
    if missing:
        raise workers_missing(cluster, seconds, missing, "nothing listens there")


def workers_missing(
    cluster: Cluster, seconds: float, missing: Sequence[str], why: str
) -> WorkerLostError:
    """The error for processes that did not start in time."""
    return WorkerLostError(
        f"All {len(cluster)} workers must start within {seconds:g} s (--worker-seconds) of each "
        f"other. {cluster.job} {cluster.index} did not find {', '.join(missing)}: {why}. Read "
        "the logs of the others, then start all of them again."
    )


def _without(
    addresses: Iterable[str], answers: Callable[[str], bool], deadline: float
) -> list[str]:
    """The addresses that did not answer before the deadline."""
    missing = list(addresses)
    while True:
        missing = [address for address in missing if not answers(address)]
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(_PAUSE)


def _listens(address: str) -> bool:
    return not connection_error(*_host_and_port(address), _EXCHANGE)


def _call(address: str) -> bool:
    """Whether the process there answers; then it stops listening.

    It must be called once only: a call may arrive even if its answer does not.
    """
    try:
        with socket.create_connection(_host_and_port(address), _EXCHANGE) as connection:
            connection.settimeout(_CALLING)
            connection.sendall(_CALL)
            return connection.recv(len(_CALL)) == _CALL
    except OSError:
        return False


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _wait_for_call(cluster: Cluster, seconds: float, deadline: float) -> None:
    with _listener(cluster.own_address) as listener:
        while (left := deadline - time.monotonic()) > 0:
            listener.settimeout(left)
            try:
                connection, _ = listener.accept()
            except OSError:  # out of time, or the client has gone
                continue
            with connection:
                if _is_call(connection):
                    listener.close()  # before the answer: TensorFlow will listen there
                    with suppress(OSError):
                        connection.sendall(_CALL)
                    return
    raise workers_missing(cluster, seconds, cluster.everyone[:1], "it did not call")


def _is_call(connection: socket.socket) -> bool:
    connection.settimeout(_EXCHANGE)
    try:
        return connection.recv(len(_CALL)) == _CALL
    except OSError:
        return False


def _listener(address: str) -> socket.socket:
    port = int(address.rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise UsageError(
            f"A worker must be able to listen at its address. Received: {address}: "
            f"{error.strerror or error}. Stop what uses the port, or give the cluster another."
        ) from error


def connection_error(host: str, port: int, seconds: float = 10.0) -> str:
    """Why a TCP connection fails; empty where something listens."""
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError as error:
        return error.strerror or brief(error)
    return ""
