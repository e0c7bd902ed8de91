"""The processes of a cluster find each other, before TensorFlow connects them.

TensorFlow waits for others inside native code, where neither a limit of time nor a signal reaches
it everywhere. So each process but the chief first listens, by itself, at the address where
TensorFlow will; the chief calls all of them once it has seen all.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from astromer.system.cluster import Cluster
from astromer.system.errors import UsageError, WorkerLostError

_CALL = b"begin\n"
_EXCHANGE = 2.0  # seconds; whatever else connects holds nobody up for longer
_CALLING = 30.0  # seconds for an answer, of one who may have to turn others away first
_PAUSE = 0.2


def meet(cluster: Cluster, seconds: float) -> None:
    """Returns when all processes of the cluster are here, and the others listen by TensorFlow.

    Only the chief waits for the latter.

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
        raise not_there(cluster, seconds, missing, "nothing listens there")


def not_there(
    cluster: Cluster, seconds: float, missing: Sequence[str], why: str
) -> WorkerLostError:
    """The error for processes that did not come."""
    return WorkerLostError(
        f"All {len(cluster)} workers must start within {seconds:g} s (--worker-seconds) of each "
        f"other. {cluster.job} {cluster.index} did not find {', '.join(missing)}: {why}. Look at "
        "the logs of the others, then start all of them again."
    )


def _without(
    addresses: Iterable[str], answers: Callable[[str], bool], deadline: float
) -> list[str]:
    """Those that gave no answer until the deadline."""
    missing = list(addresses)
    while True:
        missing = [address for address in missing if not answers(address)]
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(_PAUSE)


def _listens(address: str) -> bool:
    try:
        _connection(address).close()
    except OSError:
        return False
    return True


def _call(address: str) -> bool:
    """Whether the process there answers, which then listens no more.

    It is called once: a call whose answer is not waited for may have been heard.
    """
    try:
        with _connection(address) as connection:
            connection.settimeout(_CALLING)
            connection.sendall(_CALL)
            return connection.recv(len(_CALL)) == _CALL
    except OSError:
        return False


def _connection(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), _EXCHANGE)


def _wait_for_call(cluster: Cluster, seconds: float, deadline: float) -> None:
    with _listener(cluster.own_address) as listener:
        while (left := deadline - time.monotonic()) > 0:
            listener.settimeout(left)
            try:
                connection, _ = listener.accept()
            except OSError:  # the time is over, or whoever connected is gone
                continue
            with connection:
                if _is_call(connection):
                    listener.close()  # before the answer: TensorFlow is to listen there
                    with suppress(OSError):
                        connection.sendall(_CALL)
                    return
    raise not_there(cluster, seconds, cluster.everyone[:1], "it did not call")


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
