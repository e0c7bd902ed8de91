"""Training a head on the features of a frozen encoder."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.dataset import class_weights
from astromer.finetuning.early_stopping import EarlyStopping
from astromer.finetuning.head import Head
from astromer.system.errors import TrainingError


@dataclass(frozen=True)
class Labelled:
    """Features of some light curves and their classes.

    Attributes:
        features: float32 [num_curves, K, d_model].
        classes: int64 [num_curves].
    """

    features: np.ndarray
    classes: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)


def train_head(
    head: Head, train: Labelled, validation: Labelled, config: FinetuneConfig, seed: int
) -> EarlyStopping:
    """Trains by cross-entropy in which rare classes weigh more; stops early.

    The weights are those of :func:`~astromer.finetuning.dataset.class_weights`.

    Leaves the weights of the lowest validation loss in the head.

    Raises:
        TrainingError: the validation loss is not finite.
    """
    head.standardise(train.features)
    optimizer = keras.optimizers.Adam(config.head_learning_rate)
    optimizer.build(head.trainable_variables)
    features, classes = tf.constant(train.features), tf.constant(train.classes)
    weights = tf.constant(class_weights(train.classes))
    size = min(config.head_batch_size, len(train))
    steps = -(-len(train) // size)

    @tf.function(reduce_retracing=True)
    def run_epoch(order: tf.Tensor, shown: tf.Tensor, first_step: tf.Tensor) -> None:
        for step in tf.range(steps):
            rows = order[step]
            weight = tf.gather(weights, rows) * shown[step]
            key = tf.stack([tf.constant(seed, tf.int64), first_step + tf.cast(step, tf.int64), 0])
            with tf.GradientTape() as tape:
                logits = head(tf.gather(features, rows), training=True, dropout_key=key)
                loss = weighted_cross_entropy(logits, tf.gather(classes, rows), weight)
            gradients = tape.gradient(loss, head.trainable_variables)
            optimizer.apply(gradients, head.trainable_variables)

    stopping = EarlyStopping(head.variables, config.head_patience)
    padded = steps * size
    for epoch in range(1, config.head_epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(len(train))
        rows = np.zeros(padded, np.int64)
        rows[: len(train)] = order
        shown = (np.arange(padded) < len(train)).astype(np.float32)
        run_epoch(
            tf.constant(rows.reshape(steps, size)),
            tf.constant(shown.reshape(steps, size)),
            tf.constant((epoch - 1) * steps, tf.int64),
        )
        loss = validation_loss(head(validation.features).numpy(), validation.classes)
        stopping.look(epoch, loss)
        if stopping.stop:
            break
    stopping.restore()
    return stopping


def weighted_cross_entropy(logits: tf.Tensor, classes: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Weighted mean of the cross-entropies; scalar."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
    return tf.math.divide_no_nan(tf.reduce_sum(weight * losses), tf.reduce_sum(weight))


def validation_loss(logits: np.ndarray, classes: np.ndarray) -> float:
    """Mean cross-entropy, weighted as in training: see :func:`class_weights`.

    Raises:
        TrainingError: it is not finite.
    """
    logits = logits.astype(np.float64)
    highest = logits.max(axis=1, keepdims=True)
    total = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1))
    losses = total - logits[np.arange(len(classes)), classes]
    loss = float(np.average(losses, weights=class_weights(classes)))
    if not np.isfinite(loss):
        raise TrainingError(
            f"The validation loss must stay finite. Received: {loss}. Lower --lr or --head-lr."
        )
    return loss
