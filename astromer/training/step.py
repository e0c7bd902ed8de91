"""One training step over all replicas, in micro-batches, and the schedule of its learning rate."""

from __future__ import annotations

import functools
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.inference import (
    compile_for_micro_batches,
    micro_batches_of,
    network_inputs,
    sort_steps,
)
from astromer.encoder.layers import FlatDense, allow_fusion, use_weights
from astromer.encoder.reconstructor import Reconstructor
from astromer.encoder.steps import Weights
from astromer.evaluation.metrics import WITHIN
from astromer.system.distribution import divide_rows
from astromer.system.parallel import (
    AUTO,
    BFLOAT16,
    FLOAT32,
    OrderedPool,
    faster_precision,
    micro_batches_at_once,
)
from astromer.training.config import TrainingConfig
from astromer.windows.batches import Batch, MicroBatch


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to ``peak``, then constant or a half cosine down to zero.

    Args:
        peak: highest learning rate.
        warmup_steps: steps of the rise; 0 starts at the peak.
        total_steps: step at which the cosine reaches zero; 0 stays at the peak.
    """

    def __init__(self, peak: float, warmup_steps: int = 0, total_steps: int = 0) -> None:
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rate = tf.constant(self.peak, tf.float32)
        if self.total_steps:
            span = max(self.total_steps - self.warmup_steps, 1)
            done = tf.clip_by_value((step - self.warmup_steps) / span, 0.0, 1.0)
            rate = rate * 0.5 * (1 + tf.cos(3.141592653589793 * done))
        if self.warmup_steps:
            rate = tf.where(
                step < self.warmup_steps, self.peak * (step + 1) / self.warmup_steps, rate
            )
        return rate

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }


def make_schedule(training: TrainingConfig, steps_per_epoch: int) -> WarmUp:
    """The schedule that the knobs ask for."""
    total = training.epochs * steps_per_epoch if training.decay == "cosine" else 0
    return WarmUp(training.learning_rate, training.warmup_steps, total)


STEP_SUMS = ("loss", "hidden_count", "hidden_squared_error", "hidden_squared_spread")
"""The sums over the global batch that a step returns, in this order."""

_LEAST_RESIDUAL = 1e-6  # of the visible spread; its logarithm is finite

PRODUCT_TYPES = {FLOAT32: tf.float32, BFLOAT16: tf.bfloat16}
"""The type of the matrix products, by ``--precision`` other than auto."""

_SCORING_INPUTS = {
    "target": tf.TensorSpec([None, None], tf.float32),
    "weight": tf.TensorSpec([None, None], tf.float32),
    "hidden": tf.TensorSpec([None, None], tf.bool),
    "scale": tf.TensorSpec([None, 1], tf.float32),
}
_KEY = tf.TensorSpec([6], tf.int64)  # seed, step, first row, rows per replica, then a stretch


class TrainStep:
    """Adam on the root mean squared error of the scored steps of the global batch.

    loss = sqrt(mean over windows of sum(scored (y - p)^2) / sum(scored)), as published; windows
    without a scored step do not count. Optionally the squared errors of a window are weighted by
    1 / errmag^2. The gradient is that of the global batch, so the number of replicas changes
    nothing but rounding.

    Args:
        model: the model, made under ``strategy``.
        strategy: where to run.
        training: the knobs.
        steps_per_epoch: for the learning-rate schedule.

    Attributes:
        precision: of the matrix products; what ``auto`` stands for here.
        is_slower: whether bfloat16 was asked for where float32 is faster.
    """

    def __init__(
        self,
        model: Reconstructor,
        strategy: tf.distribute.Strategy,
        training: TrainingConfig,
        steps_per_epoch: int,
    ):
        self.model, self.strategy, self.training = model, strategy, training
        faster = FLOAT32 if training.precision == FLOAT32 else faster_precision()
        self.precision = (faster or FLOAT32) if training.precision == AUTO else training.precision
        self.is_slower = (training.precision, faster) == (BFLOAT16, FLOAT32)
        self._dtype = PRODUCT_TYPES[self.precision]
        self._schedule = make_schedule(training, steps_per_epoch)
        with strategy.scope():
            self.optimizer = keras.optimizers.Adam(
                self._schedule, beta_1=0.9, beta_2=0.98, epsilon=1e-9
            )
            self.optimizer.build(model.trainable_variables)
            # Made once a step, and read by all of its micro-batches.
            self._folded = {
                layer: Weights(*(_per_replica(x.shape, self._dtype) for x in weights[:2]))
                for layer, weights in model.folded_weights().items()
            }
            covered = {id(v) for layer in self._folded for v in (layer.kernel, layer.bias)}
            self._others = [v for v in model.trainable_variables if id(v) not in covered]
            self._shapes = [v.shape for v in (*_tensors(self._folded), *self._others)]
            self._sizes = [shape.num_elements() for shape in self._shapes]
            # One vector: a call for each micro-batch that takes a tensor of each variable is slow.
            self._total = _per_replica([sum(self._sizes) + len(STEP_SUMS)])
        self._threads = OrderedPool(micro_batches_at_once(strategy.num_replicas_in_sync))
        inputs = model.encoder.inputs | _SCORING_INPUTS
        self._differentiate = {
            fuse: compile_for_micro_batches(
                functools.partial(self._differentiate_on_replicas, fuse), strategy, inputs, _KEY
            )
            for fuse in (False, True)
        }
        self._fold = tf.function(self._fold_on_replicas, autograph=False)
        self._add = tf.function(self._add_on_replicas, autograph=False)
        self._update = tf.function(self._update_on_replicas, autograph=False)

    def __call__(self, batch: Batch, step: int) -> tf.Tensor:
        """Trains on one batch.

        Args:
            batch: at most ``batch_size`` windows.
            step: number of the step since the start of training; decides the dropout.

        Returns:
            float32 [4], ``STEP_SUMS`` of the global batch. Not awaited: reading it waits.
        """
        probing = batch.probing
        scored = probing.hidden if self.training.loss_on == "hidden" else probing.probed
        arrays = {
            **network_inputs(batch),
            "target": batch.target,
            "weight": self._weights(batch, scored),
            "hidden": probing.hidden,
            "scale": batch.scale[:, None],
        }
        parts = micro_batches_of(batch, self.model, self.strategy, self.training.windows_per_pass)
        stretches = {part.steps: (0, part.steps) for part in parts}
        if self.model.encoder.quirks is None:
            arrays, stretches = sort_steps(arrays, parts, probing, scored)
        most = max(part.size for part in parts) if self._dtype == tf.bfloat16 else 0

        def differentiate(part: MicroBatch) -> Any:
            # Others are seldom worth compiling for.
            full = part.steps == batch.target.shape[1] and part.size == most
            return self._differentiate[full](*self._inputs(arrays, stretches, part, step))

        self._fold()
        # Added in the order of the parts, whichever is done first: float32 sums depend on it.
        for found in self._threads.map(differentiate, parts):
            self._add(found)
        return self._update()

    def learning_rate(self, step: int) -> float:
        """That of a step, counted from 0."""
        return float(self._schedule(np.int64(step)))  # TensorFlow keeps each Python number

    def _weights(self, batch: Batch, scored: np.ndarray) -> np.ndarray:
        """float32, shape of ``scored``; a weighted sum over the batch is a mean of window means."""
        weight = scored.astype(np.float64)
        if self.training.error_weighted:
            weight /= batch.errmag.astype(np.float64) ** 2
        total = weight.sum(axis=1, keepdims=True)
        windows = max(int(np.count_nonzero(total)), 1)
        return (weight / np.where(total > 0, total, 1) / windows).astype(np.float32)

    def _inputs(
        self,
        arrays: dict[str, np.ndarray],
        stretches: dict[int, tuple[int, int]],
        part: MicroBatch,
        step: int,
    ) -> tuple[Any, Any]:
        rows = -(-part.size // self.strategy.num_replicas_in_sync)
        chosen, stretch = part.of(arrays), stretches[part.steps]
        key = np.array([self.training.seed, step, part.first_row, rows, *stretch], np.int64)
        return divide_rows(self.strategy, chosen, rows), tf.constant(key)

    def _differentiate_on_replicas(self, fuse: bool, inputs: dict[str, Any], key: tf.Tensor) -> Any:
        return self.strategy.run(self._differentiate_on_replica, args=(fuse, inputs, key))

    def _differentiate_on_replica(
        self, fuse: bool, inputs: dict[str, tf.Tensor], key: tf.Tensor
    ) -> tf.Tensor:
        """float32 [n], the gradients of what the network reads and ``STEP_SUMS``."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed, step, first_row, rows, *stretch = tf.unstack(key)
        first_scored, num_keys = (tf.cast(number, tf.int32) for number in stretch)
        first_row += tf.cast(replica, tf.int64) * rows
        read = {
            layer: Weights(tf.convert_to_tensor(kernel), tf.convert_to_tensor(bias), folded=True)
            for layer, (kernel, bias, _) in self._folded.items()
        }
        with allow_fusion(fuse), use_weights(read), tf.GradientTape() as tape:
            tape.watch(_tensors(read))
            predicted, spread = self.model.predict_scored(
                **{name: inputs[name] for name in self.model.encoder.inputs},
                first=first_scored,
                num_keys=num_keys,
                dropout_key=tf.stack([seed, step, first_row]),
                dtype=self._dtype,
            )
            target, weight, hidden = (
                inputs[name][:, first_scored:] for name in ("target", "weight", "hidden")
            )
            error = tf.square(target - predicted)
            mse = tf.reduce_sum(weight * error)
            learned = mse
            if spread is not None:
                at_hidden = tf.where(hidden, weight, 0.0)
                learned += tf.reduce_sum(at_hidden * spread_loss(target - predicted, spread))
        gradients = tape.gradient(
            learned,
            [*_tensors(read), *(v.value for v in self._others)],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,  # of a folded gain and shift
        )
        sums = tf.stack([mse, *_hidden_sums(error, target, hidden, inputs["scale"])])
        flat = [tf.reshape(tf.cast(x, tf.float32), [-1]) for x in (*gradients, sums)]
        return tf.concat(flat, axis=0)

    def _fold_on_replicas(self) -> None:
        def assign() -> None:
            made = _tensors(self.model.folded_weights())
            for variable, value in zip(_tensors(self._folded), made, strict=True):
                variable.assign(tf.cast(value, self._dtype))

        self.strategy.run(assign)

    def _add_on_replicas(self, found: Any) -> None:
        self.strategy.run(lambda more: self._total.assign_add(more), args=(found,))

    def _update_on_replicas(self) -> tf.Tensor:
        sums = self.strategy.run(self._update_on_replica)
        return self.strategy.experimental_local_results(sums)[0]

    def _update_on_replica(self) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        *totals, sums = tf.split(self._total.read_value(), [*self._sizes, len(STEP_SUMS)])
        sums = context.all_reduce(tf.distribute.ReduceOp.SUM, sums)
        loss = tf.sqrt(sums[0])
        # d sqrt(mse) = d mse / (2 sqrt(mse)), with the mse of the global batch.
        slope = tf.math.divide_no_nan(0.5, loss)
        variables = self.model.trainable_variables
        totals = [tf.reshape(t, shape) for t, shape in zip(totals, self._shapes, strict=True)]
        with tf.GradientTape() as tape:
            made = _tensors(self.model.folded_weights())
            made += map(tf.convert_to_tensor, self._others)
        # The chain rule: from what the micro-batches read to what it is made of.
        gradients = tape.gradient(made, variables, output_gradients=totals)
        # All before the first update: updates were seen to change what others were still made of.
        gradients = tf.tuple([g * slope for g in gradients])
        if self.training.clip_norm:  # of the global gradient; each replica keeps an equal share
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
            gradients, _ = tf.clip_by_global_norm(gradients, self.training.clip_norm)
            gradients = [g / self.strategy.num_replicas_in_sync for g in gradients]
        self.optimizer.apply(gradients, variables)  # sums over the replicas
        self._total.assign(tf.zeros_like(self._total))
        return tf.concat([loss[None], sums[1:]], axis=0)


def spread_loss(residual: tf.Tensor, spread: tf.Tensor) -> tf.Tensor:
    """Quantile losses of absolute residuals at one and at two standard deviations.

    They are least where as many residuals as of a Gaussian are within, or where one fraction is as
    much too large as the other is too small: a likelihood would follow the outliers (Koenker &
    Bassett 1978, Econometrica 46, 33). In logarithms, so that bright and faint steps count alike.

    Args:
        residual: float32, which learns nothing from it.
        spread: float32, standard deviations, of the same shape and units.
    """
    size = tf.maximum(tf.abs(tf.stop_gradient(residual)), _LEAST_RESIDUAL)
    excess = tf.math.log(size / spread)
    parts = []
    for sigma, within in enumerate(WITHIN, start=1):
        beyond = excess - math.log(sigma)
        parts.append(tf.maximum(within * beyond, (within - 1) * beyond))
    return tf.add_n(parts)


def _tensors(weights: dict[FlatDense, Weights]) -> list[Any]:
    """Kernel and bias of each layer, or the variables that hold them, in one order."""
    return [x for kernel, bias, _ in weights.values() for x in (kernel, bias)]


def _per_replica(shape: Any, dtype: tf.DType = tf.float32) -> tf.Variable:
    """Zeros; each replica writes its own, and the caller reduces them over the replicas."""
    return tf.Variable(
        tf.zeros(shape, dtype),
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.NONE,
    )


def _hidden_sums(
    error: tf.Tensor, target: tf.Tensor, hidden: tf.Tensor, scale: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Count, squared error and squared spread [mag^2] of the hidden steps."""
    chosen = tf.cast(hidden, tf.float32)
    squared_scale = tf.square(scale)
    count = tf.reduce_sum(chosen, axis=1, keepdims=True)
    mean = tf.math.divide_no_nan(tf.reduce_sum(chosen * target, axis=1, keepdims=True), count)
    return (
        tf.reduce_sum(count),
        tf.reduce_sum(chosen * error * squared_scale),
        tf.reduce_sum(chosen * tf.square(target - mean) * squared_scale),
    )
