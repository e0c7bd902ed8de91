"""Replicas: where a training runs, how a batch is divided, and processes that train as one.

Several processes start, stop, fail and end together.
"""

from __future__ import annotations

import functools
import math
import re
import signal
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context as eager

from astromer.system.cluster import WORKER_SECONDS, Cluster, meet, read_cluster, workers_missing
from astromer.system.environment import bypass_proxy
from astromer.system.errors import TrainingInterrupted, UsageError, WorkerLostError
from astromer.system.parallel import claim_cores
from astromer.system.text import brief


def make_strategy(
    replicas: int = 0,
    *,
    one_device: bool = False,
    worker_seconds: float = WORKER_SECONDS,
) -> tf.distribute.Strategy:
    """A MirroredStrategy over all visible GPUs, or one CPU replica where there is none.

    Where ``TF_CONFIG`` or ``CLUSTER_SPEC`` lists several workers it is a
    MultiWorkerMirroredStrategy over them. Must be called before TensorFlow is used for anything
    else.

    Args:
        replicas: 0 for that; N for N logical CPU devices, which cost speed and serve tests.
        one_device: use the first GPU only.
        worker_seconds: how long to wait for the other workers.

    Raises:
        UsageError: if TensorFlow was already in use with fewer logical devices, or the list of
            workers is malformed.
        WorkerLostError: if another worker did not come in time.
    """
    cluster = read_cluster()
    if cluster is not None:
        return connect(cluster, worker_seconds)
    claim_cores()
    if replicas == 0:
        gpus = [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
        devices = gpus[:1] if one_device else gpus
        return _mirrored(*(devices or ["/cpu:0"]))
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(replicas)]
        )
    except RuntimeError as error:
        found = len(tf.config.list_logical_devices("CPU"))
        if found < replicas:
            raise UsageError(
                "--replicas must be chosen before TensorFlow starts. Received: "
                f"{replicas} replicas where {found} CPU device(s) are in use already. "
                "Run it in a fresh process."
            ) from error
    return _mirrored(*(f"/cpu:{i}" for i in range(replicas)))


@functools.cache
def _mirrored(*devices: str) -> tf.distribute.Strategy:
    # One per process: TensorFlow mixes up the collective operations of two.
    return tf.distribute.MirroredStrategy(list(devices))


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes files: a single one, the chief, or else worker 0."""
    if not is_multi_worker(strategy):
        return True
    cluster = read_cluster()
    return cluster is None or cluster.is_chief


def divide_rows(
    strategy: tf.distribute.Strategy, arrays: Mapping[str, np.ndarray], rows: int
) -> dict[str, Any]:
    """Gives each replica ``rows`` rows of each array; short batches are padded with zeros."""
    total = rows * strategy.num_replicas_in_sync

    def share(array: np.ndarray) -> Any:
        missing = total - len(array)
        if missing:
            array = np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1))
        if strategy.num_replicas_in_sync == 1:
            return tf.constant(array)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(array[rows * context.replica_id_in_sync_group :][:rows])
        )

    return {name: share(array) for name, array in arrays.items()}


HEARTBEAT_SECONDS = 15
"""A worker without a heartbeat for so long is lost; TensorFlow's 10 are few on a busy machine."""
_ALARM_SECONDS = 60
_END_SECONDS = 3600  # the chief evaluates and writes the model meanwhile
_PEER_TASK = re.compile(r"/job:(\w+)/(?:replica:0/)?task:(\d+)")
_PEER_MESSAGE = re.compile(r"Error reported from /job:\w+/task:\d+: (.*)")
_OF_A_PEER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


def connect(cluster: Cluster, seconds: float) -> tf.distribute.Strategy:
    """A MultiWorkerMirroredStrategy over the cluster, once all of its processes have started.

    Args:
        cluster: two processes or more.
        seconds: how long to wait for the others.

    Raises:
        UsageError: TensorFlow was in use before.
        WorkerLostError: one did not start in time.
    """
    return _connect(cluster.job, cluster.index, tuple(cluster.addresses.items()), seconds)


@functools.cache  # one per process, as TensorFlow allows
def _connect(
    job: str, index: int, jobs: tuple[tuple[str, tuple[str, ...]], ...], seconds: float
) -> tf.distribute.Strategy:
    cluster = Cluster(dict(jobs), job, index)
    bypass_proxy(address.rpartition(":")[0].strip("[]") for address in cluster.everyone)
    members = {name: list(addresses) for name, addresses in jobs}
    # Whose module has another name in each TensorFlow.
    taking_part = tf.compat.v1.ConfigProto().experimental.coordination_config.coordinated_job_list
    for name, addresses in members.items():
        taking_part.add(name=name, num_tasks=len(addresses))
    eager.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{cluster.leader}/replica:0/task:0",
        heartbeat_timeout_in_ms=int(HEARTBEAT_SECONDS * 1000),
        cluster_register_timeout_in_ms=int(seconds * 1000),
        coordinated_jobs=list(taking_part),
    )
    meet(cluster, seconds)
    try:
        # TensorFlow waits for the others without a limit, and lets neither Python's threads nor
        # its signal handlers run. If one is killed right now, this signal ends the others.
        signal.alarm(math.ceil(seconds) + _ALARM_SECONDS)
        strategy = tf.distribute.MultiWorkerMirroredStrategy(
            tf.distribute.cluster_resolver.SimpleClusterResolver(
                tf.train.ClusterSpec(members), task_type=job, task_id=index, rpc_layer="grpc"
            )
        )
        eager.context().wait_at_barrier("started", int(seconds * 1000))
    except RuntimeError as error:
        raise UsageError(
            "Several workers must be connected before TensorFlow is used for anything else. "
            f"Received: {brief(error)}. Run it in a fresh process."
        ) from error
    except tf.errors.OpError as error:
        raise workers_missing(cluster, seconds, cluster.everyone, brief(error)) from error
    finally:
        signal.alarm(0)
    return strategy


def is_multi_worker(strategy: tf.distribute.Strategy) -> bool:
    """Whether other processes take part."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def any_worker(strategy: tf.distribute.Strategy, flag: bool) -> bool:
    """Whether ``flag`` is set in any process; all must call this at the same point."""
    if not is_multi_worker(strategy):
        return flag
    return _sum(strategy, int(flag)) > 0


def check_same(strategy: tf.distribute.Strategy, state: str) -> None:
    """Checks that all processes are in the same state.

    Args:
        strategy: over the processes.
        state: what must be equal in all of them.

    Raises:
        UsageError: it is not.
    """
    if not is_multi_worker(strategy):
        return
    own = zlib.crc32(state.encode())
    if _sum(strategy, own) != own * strategy.num_replicas_in_sync:
        raise UsageError(
            "All workers must have the same settings and data and see the same checkpoint. "
            f"Received here: {state}, and something else in another worker. Give all of them the "
            "same command and folders on storage that they share."
        )


def wait_for_all(strategy: tf.distribute.Strategy, name: str) -> None:
    """Waits until every process is here. ``name`` is used once in a process.

    Raises:
        WorkerLostError: one has failed or been lost.
    """
    if not is_multi_worker(strategy):
        return
    with fail_together(strategy):
        eager.context().wait_at_barrier(name, _END_SECONDS * 1000)


@contextmanager
def fail_together(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """An error in one process is raised in all of them, at once and with its message.

    Raises:
        WorkerLostError: another process has failed or been lost.
    """
    try:
        yield
    except (TrainingInterrupted, WorkerLostError):
        raise  # the others have it, too
    except BaseException as error:
        if not is_multi_worker(strategy):
            raise
        if isinstance(error, _OF_A_PEER):
            raise _lost(error) from error
        _report_to_others(error)
        raise


def _lost(error: tf.errors.OpError) -> WorkerLostError:
    who = _PEER_TASK.search(error.message)
    name = " ".join(who.groups()) if who else "another worker"
    message = _PEER_MESSAGE.search(error.message)
    why = (
        f"it failed: {message[1]}" if message else "it was killed, or its machine or network failed"
    )
    if "heartbeat timeout" in why:
        why = f"nothing was heard of it for {HEARTBEAT_SECONDS} s: it was killed or cut off"
    return WorkerLostError(
        f"Training needs all of its workers, and {name} is lost; {why.rstrip('.')}. Look at its "
        "log, then start all workers again with the same command: they resume from the last "
        "checkpoint."
    )


def _report_to_others(error: BaseException) -> None:
    message = str(error) or type(error).__name__
    # Where this fails, they have lost this process, or will miss its heartbeat.
    with suppress(tf.errors.OpError, ValueError):
        eager.context().report_error_to_cluster(tf.errors.UNAVAILABLE, message[:2000])


def _sum(strategy: tf.distribute.Strategy, value: int) -> int:
    """The sum over all replicas, each of which holds its process's value."""
    total = _summed(strategy)(tf.constant(value, tf.int64))
    return int(total.numpy())


@functools.cache
def _summed(strategy: tf.distribute.Strategy) -> tf.types.experimental.GenericFunction:
    def on_replica(value: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        # The copy is on the replica's device, where the sum is computed.
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))

    @tf.function(input_signature=[tf.TensorSpec([], tf.int64)])
    def total(value: tf.Tensor) -> tf.Tensor:
        sums = strategy.run(on_replica, args=(value,))
        return strategy.experimental_local_results(sums)[0]

    return total
