"""Replicas: where the training runs, and how a batch is divided over them."""

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
from tensorflow.tsl.protobuf import coordination_config_pb2 as coordination

from astromer.system.cluster import WORKER_SECONDS, Cluster, meet, not_there, read_cluster
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
    # One per process: a second one would count its collective operations from the start again, and
    # TensorFlow takes them for those of the first.
    return tf.distribute.MirroredStrategy(list(devices))


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes files: the only one, the chief, or else worker 0."""
    if not several(strategy):
        return True
    cluster = read_cluster()
    return cluster is None or cluster.is_chief


def rows_per_replica(strategy: tf.distribute.Strategy, batch_size: int) -> int:
    """Rows that each replica holds; batches are padded with empty windows to fill them."""
    return -(-batch_size // strategy.num_replicas_in_sync)


def divide(
    strategy: tf.distribute.Strategy, arrays: Mapping[str, np.ndarray], rows: int
) -> dict[str, Any]:
    """Gives each replica ``rows`` rows of each array, with zeros where the batch has ended."""
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


HEARTBEAT_SECONDS = 20
"""Silence of a worker that counts as its loss; twice TensorFlow's, for busy machines."""
_ALARM_SECONDS = 60
_END_SECONDS = 3600  # the chief evaluates and writes the model meanwhile
_PEER_TASK = re.compile(r"/job:(\w+)/(?:replica:0/)?task:(\d+)")
_PEER_WORD = re.compile(r"Error reported from /job:\w+/task:\d+: (.*)")
_OF_A_PEER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


def connect(cluster: Cluster, seconds: float) -> tf.distribute.Strategy:
    """A MultiWorkerMirroredStrategy over the cluster, once all of it is there.

    Args:
        cluster: two processes or more.
        seconds: how long to wait for the others.

    Raises:
        UsageError: TensorFlow was in use before.
        WorkerLostError: one did not come in time.
    """
    return _connect(cluster.job, cluster.index, tuple(cluster.addresses.items()), seconds)


@functools.cache  # one per process, as TensorFlow allows
def _connect(
    job: str, index: int, jobs: tuple[tuple[str, tuple[str, ...]], ...], seconds: float
) -> tf.distribute.Strategy:
    cluster = Cluster(dict(jobs), job, index)
    members = {name: list(addresses) for name, addresses in jobs}
    eager.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{cluster.leader}/replica:0/task:0",
        heartbeat_timeout_in_ms=int(HEARTBEAT_SECONDS * 1000),
        cluster_register_timeout_in_ms=int(seconds * 1000),
        coordinated_jobs=[
            coordination.CoordinatedJob(name=name, num_tasks=len(addresses))
            for name, addresses in members.items()
        ],
    )
    meet(cluster, seconds)
    try:
        # From here on they wait for each other inside of TensorFlow, which lets neither Python's
        # threads nor its signal handlers run, and for ever. Each of them answered a moment ago;
        # should one be killed right now, this signal ends the others.
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
        raise not_there(cluster, seconds, cluster.everyone, brief(error)) from error
    finally:
        signal.alarm(0)
    return strategy


def several(strategy: tf.distribute.Strategy) -> bool:
    """Whether other processes take part."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def any_worker(strategy: tf.distribute.Strategy, flag: bool) -> bool:
    """Whether ``flag`` is set in any process; all must ask at the same point."""
    if not several(strategy):
        return flag
    return _sum(strategy, int(flag)) > 0


def check_same(strategy: tf.distribute.Strategy, state: str) -> None:
    """Checks that all processes are about to do the same.

    Args:
        strategy: over the processes.
        state: what must be equal in all of them.

    Raises:
        UsageError: it is not.
    """
    if not several(strategy):
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
    if not several(strategy):
        return
    with together(strategy):
        eager.context().wait_at_barrier(name, _END_SECONDS * 1000)


@contextmanager
def together(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """What fails in one process fails in all of them, at once and with its message.

    Raises:
        WorkerLostError: another process has failed or been lost.
    """
    try:
        yield
    except (TrainingInterrupted, WorkerLostError):
        raise  # agreed upon, or known to all
    except BaseException as error:
        if not several(strategy):
            raise
        if isinstance(error, _OF_A_PEER):
            raise _lost(error) from error
        _tell_others(error)
        raise


def _lost(error: tf.errors.OpError) -> WorkerLostError:
    who = _PEER_TASK.search(error.message)
    name = " ".join(who.groups()) if who else "another worker"
    said = _PEER_WORD.search(error.message)
    why = f"it failed: {said[1]}" if said else "it was killed, or its machine or network failed"
    if "heartbeat timeout" in why:
        why = f"nothing was heard of it for {HEARTBEAT_SECONDS} s: it was killed or cut off"
    return WorkerLostError(
        f"Training needs all of its workers, and {name} is lost; {why.rstrip('.')}. Look at its "
        "log, then start all workers again with the same command: they go on from the last "
        "checkpoint."
    )


def _tell_others(error: BaseException) -> None:
    message = str(error) or type(error).__name__
    # Else they have lost this process already, or will notice its silence.
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
        # The copy is on the replica's device, which decides where to add up.
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))

    @tf.function(input_signature=[tf.TensorSpec([], tf.int64)])
    def total(value: tf.Tensor) -> tf.Tensor:
        sums = strategy.run(on_replica, args=(value,))
        return strategy.experimental_local_results(sums)[0]

    return total
