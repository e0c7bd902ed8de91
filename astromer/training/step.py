"""One training step over all replicas."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.batches import Batch
from astromer.distribution import divide, rows_per_replica
from astromer.encoder import Reconstructor
from astromer.prediction import network_inputs
from astromer.training.schedule import make_schedule
from pipeline_config import TrainingConfig

# Sums that a step returns over the global batch, in this order.
STEP_SUMS = ("loss", "hidden_count", "hidden_squared_error", "hidden_squared_spread")


class TrainStep:
    """Adam on the root mean squared error of the scored steps of the global batch.

    loss = sqrt(mean over windows of sum(scored (y - p)^2) / sum(scored)), as published; windows
    without a scored step do not count. Optionally the squared errors of a window are weighed by
    1 / errmag^2. The gradient is that of the global batch, so the number
    of replicas changes nothing but rounding.

    Args:
        model: the model, made under ``strategy``.
        strategy: where to run.
        training: the knobs.
        steps_per_epoch: for the learning-rate schedule.
    """

    def __init__(
        self,
        model: Reconstructor,
        strategy: tf.distribute.Strategy,
        training: TrainingConfig,
        steps_per_epoch: int,
    ):
        self.model = model
        self.strategy = strategy
        self.training = training
        self.rows = rows_per_replica(strategy, training.batch_size)
        with strategy.scope():
            self.optimizer = keras.optimizers.Adam(
                make_schedule(training, steps_per_epoch), beta_1=0.9, beta_2=0.98, epsilon=1e-9
            )
            self.optimizer.build(model.trainable_variables)
        self._run = tf.function(self._distributed, reduce_retracing=True)

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
        key = tf.constant([self.training.seed, step], tf.int64)
        return self._run(divide(self.strategy, arrays, self.rows), key)

    def _weights(self, batch: Batch, scored: np.ndarray) -> np.ndarray:
        """float32, shape of ``scored``; a weighted sum over the batch is a mean of window means."""
        weight = scored.astype(np.float64)
        if self.training.error_weighted:
            weight /= batch.errmag.astype(np.float64) ** 2
        total = weight.sum(axis=1, keepdims=True)
        windows = max(int(np.count_nonzero(total)), 1)
        return (weight / np.where(total > 0, total, 1) / windows).astype(np.float32)

    def _distributed(self, inputs: dict[str, Any], key: tf.Tensor) -> tf.Tensor:
        sums = self.strategy.run(self._replica, args=(inputs, key))
        return self.strategy.experimental_local_results(sums)[0]

    def _replica(self, inputs: dict[str, tf.Tensor], key: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        first_row = tf.cast(context.replica_id_in_sync_group * self.rows, tf.int64)
        with tf.GradientTape() as tape:
            predicted = self.model(
                inputs["times"],
                inputs["magnitudes"],
                inputs["visible"],
                training=True,
                dropout_key=tf.concat([key, [first_row]], axis=0),
            )
            error = tf.square(inputs["target"] - predicted)
            mse = tf.reduce_sum(inputs["weight"] * error)
        variables = self.model.trainable_variables
        gradients = tape.gradient(mse, variables)

        sums = tf.stack([mse, *_hidden_sums(inputs, error)])
        sums = context.all_reduce(tf.distribute.ReduceOp.SUM, sums)
        loss = tf.sqrt(sums[0])
        # d sqrt(mse) = d mse / (2 sqrt(mse)), with the mse of the global batch.
        slope = tf.math.divide_no_nan(0.5, loss)
        gradients = [gradient * slope for gradient in gradients]
        if self.training.clip_norm:
            gradients = self._clip(gradients, context)
        self.optimizer.apply(gradients, variables)  # sums over the replicas
        return tf.concat([loss[None], sums[1:]], axis=0)

    def _clip(
        self, gradients: list[tf.Tensor], context: tf.distribute.ReplicaContext
    ) -> list[tf.Tensor]:
        """Clips the global gradient; each replica keeps an equal share of it."""
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, self.training.clip_norm)
        return [gradient / self.strategy.num_replicas_in_sync for gradient in gradients]


def _hidden_sums(
    inputs: dict[str, tf.Tensor], error: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Count, squared error and squared spread [mag^2] of the hidden steps."""
    hidden = tf.cast(inputs["hidden"], tf.float32)
    squared_scale = tf.square(inputs["scale"])
    count = tf.reduce_sum(hidden, axis=1, keepdims=True)
    mean = tf.math.divide_no_nan(
        tf.reduce_sum(hidden * inputs["target"], axis=1, keepdims=True), count
    )
    spread = tf.square(inputs["target"] - mean)
    return (
        tf.reduce_sum(count),
        tf.reduce_sum(hidden * error * squared_scale),
        tf.reduce_sum(hidden * spread * squared_scale),
    )
