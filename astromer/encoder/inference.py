"""The network over batches of windows, on every replica, and the steps that it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.reconstructor import Reconstructor
from astromer.system.distribution import divide_rows
from astromer.system.parallel import OrderedPool, micro_batches_at_once
from astromer.windows.batches import Batch, MicroBatch, plan_micro_batches
from astromer.windows.masking import Probing, counts

# Windows of a micro-batch.
_ON_A_GPU = 256
_ON_ALL_CORES = 32  # fits the caches
_LARGEST_ON_A_CORE = 16  # fits the part of the caches that a core has to itself
_SMALLEST_ON_A_CORE = 8  # a batch is divided among all cores down to this


class Predictor:
    """Reconstructs batches.

    Args:
        model: the model, made under ``strategy``.
        strategy: where to run; None for the default device.
    """

    def __init__(
        self, model: Reconstructor, strategy: tf.distribute.Strategy | None = None
    ) -> None:
        self.model = model
        self.strategy = strategy or tf.distribute.get_strategy()

        def on_replica(inputs: dict[str, Any], stretch: tf.Tensor) -> tuple[tf.Tensor, ...]:
            first, num_keys = tf.unstack(stretch)
            predicted, spread = model.predict_scored(
                **inputs, first=first, num_keys=num_keys, training=False
            )
            return (predicted,) if spread is None else (predicted, spread)

        def run(inputs: dict[str, Any], stretch: tf.Tensor) -> Any:
            return self.strategy.run(on_replica, args=(inputs, stretch))

        self._threads = OrderedPool(micro_batches_at_once(self.strategy.num_replicas_in_sync))
        signature = model.encoder.inputs, tf.TensorSpec([2], tf.int32)
        self._run = compile_for_micro_batches(run, self.strategy, *signature)

    def __call__(self, batch: Batch) -> np.ndarray:
        """float32 [num_windows, window_size], scaled like the target; at probed steps alone."""
        return self.with_spread(batch)[0]

    def with_spread(self, batch: Batch) -> tuple[np.ndarray, np.ndarray | None]:
        """The predictions at probed steps, and their standard deviations where the model has any.

        float32 [num_windows, window_size], scaled like the target; undefined at other steps.
        """
        found = [np.zeros_like(batch.target)]
        if self.model.spread is not None:
            found.append(np.ones_like(batch.target))
        parts = micro_batches_of(batch, self.model, self.strategy)
        arrays = network_inputs(batch)
        arrays["step"] = np.broadcast_to(np.arange(batch.target.shape[1]), batch.target.shape)
        stretches = {part.steps: (0, part.steps) for part in parts}
        if self.model.encoder.quirks is None:
            arrays, stretches = sort_steps(arrays, parts, batch.probing, batch.probing.probed)
        step = arrays.pop("step")
        results = self._threads.map(
            lambda part: self._predict(arrays, part, stretches[part.steps]), parts
        )
        for part, result in zip(parts, results, strict=True):
            rows, first = part.rows, stretches[part.steps][0]
            for array, values in zip(found, result, strict=True):
                array[rows[:, None], step[rows, first : part.steps]] = values.numpy()[: len(rows)]
        return found[0], found[1] if len(found) > 1 else None

    def _predict(
        self, inputs: dict[str, np.ndarray], part: MicroBatch, stretch: tuple[int, int]
    ) -> tuple[tf.Tensor, ...]:
        replicas = self.strategy.num_replicas_in_sync
        rows = -(-part.size // replicas)
        chosen = divide_rows(self.strategy, part.of(inputs), rows)
        predicted = self._run(chosen, tf.constant(stretch, tf.int32))
        if replicas > 1:  # from other workers, too
            predicted = tuple(self.strategy.gather(values, axis=0) for values in predicted)
        return predicted


def micro_batches_of(
    batch: Batch, model: Reconstructor, strategy: tf.distribute.Strategy, per_replica: int = 0
) -> list[MicroBatch]:
    """Divides a batch into micro-batches.

    Args:
        batch: the batch.
        model: public weights get whole windows, as their output depends on the padding.
        strategy: where it runs.
        per_replica: windows that a replica computes at once; 0 for what suits its device.
    """
    per_replica = per_replica or _windows_per_micro_batch(len(batch), strategy)
    length = batch.probing.observed.sum(axis=1)
    window_size = batch.target.shape[1]
    if model.encoder.quirks is not None:
        length = np.full_like(length, window_size)
    return plan_micro_batches(length, window_size, per_replica * strategy.num_replicas_in_sync)


def _windows_per_micro_batch(windows: int, strategy: tf.distribute.Strategy) -> int:
    if tf.config.list_logical_devices("GPU"):
        return _ON_A_GPU
    at_once = micro_batches_at_once(strategy.num_replicas_in_sync)
    if at_once == 1:
        return _ON_ALL_CORES
    return min(max(-(-windows // at_once), _SMALLEST_ON_A_CORE), _LARGEST_ON_A_CORE)


def compile_for_micro_batches(
    function: Callable[..., Any], strategy: tf.distribute.Strategy, *signature: Any
) -> Any:
    """A tf.function that is traced once for micro-batches of all sizes.

    Without AutoGraph, whose translation of the sources takes longer than tracing.
    """
    if strategy.num_replicas_in_sync > 1:
        # Values of several replicas have no signature: traced until the shapes are general.
        return tf.function(function, reduce_retracing=True, autograph=False)
    return tf.function(function, input_signature=signature, autograph=False)


def network_inputs(batch: Batch) -> dict[str, np.ndarray]:
    """The inputs of the network, without the hidden magnitudes."""
    return {
        "times": batch.times,
        "magnitudes": batch.magnitudes,
        "visible": batch.probing.visible,
        **batch.folded,
    }


def sort_steps(
    arrays: dict[str, np.ndarray], parts: Sequence[MicroBatch], probing: Probing, scored: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[int, tuple[int, int]]]:
    """Sorts the steps of each window: visible ones, then scored ones; steps that are both between.

    The encoder attends to the visible steps and the loss reads the scored ones; each are in one
    stretch, so that nothing else is computed. Both stretches depend on the padded length and on the
    fractions of the masks alone, so that few shapes occur, and dropout does not depend on other
    windows: in shorter windows, unused steps lie before the scored ones.

    Args:
        arrays: [num_windows, window_size, ...], or [num_windows, 1, ...], which stay as they are.
        parts: all of the batch.
        probing: the roles of the steps.
        scored: bool [num_windows, window_size], the probed steps, or the hidden ones, or fewer.

    Returns:
        The sorted arrays; and by padded length the number of the first scored step, and that of the
        steps among which all visible ones are.
    """
    visible = probing.visible
    unscored, both, unused = visible & ~scored, visible & scored, ~(visible | scored)
    before = unscored.sum(axis=1)
    gap = np.zeros_like(before)
    stretches = {}
    for steps in {part.steps for part in parts}:
        rows = np.concatenate([part.rows for part in parts if part.steps == steps])
        probed, same, random = (int(n[0]) for n in counts(np.array([steps]), probing.masking))
        shown = same + random if both.any() else 0
        most = max(probed - same - random + shown, int(scored[rows].sum(axis=1).max()), 1)
        first = steps - most
        begin = np.maximum(before[rows], first)
        gap[rows] = begin - before[rows]
        full = max(steps - probed + same + random, first + shown)
        keys = max(full, int((begin + both[rows].sum(axis=1)).max()), 1)
        stretches[steps] = first, keys
    rank = np.where(unscored, 0, np.where(scored, 3 - visible, 4)).astype(np.uint8)
    rank[unused & (np.cumsum(unused, axis=1) <= gap[:, None])] = 1
    order = np.argsort(rank, axis=1, kind="stable")
    by_rank = {
        name: array
        if array.shape[1] == 1
        else np.take_along_axis(array, order[..., None] if array.ndim == 3 else order, axis=1)
        for name, array in arrays.items()
    }
    return by_rank, stretches
