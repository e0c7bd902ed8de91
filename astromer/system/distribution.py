"""Replicas: where the training runs, and how a batch is divided over them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.system.cluster import WORKER_SECONDS, read_cluster
from astromer.system.concurrency import claim_cores
from astromer.system.errors import UsageError
from astromer.system.workers import connect, several


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
