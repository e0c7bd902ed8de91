"""Training of classifiers: the head on a frozen encoder, then encoder and head together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.folding import prepare
from astromer.encoder.inference import network_inputs
from astromer.encoder.order import whole_lanes
from astromer.encoder.pooling import pool_steps, pool_windows
from astromer.finetuning.classifier import Classifier, Head
from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.labelled_data import LabelledCurves, class_weights
from astromer.system.errors import TrainingError
from astromer.system.terminal import progress_bar
from astromer.training.step import WarmUp
from astromer.windows.batches import MicroBatch, Windows, plan_micro_batches
from astromer.windows.masking import nothing_probed

_WINDOWS_PER_MICRO_BATCH = 32
_CLIP_NORM = 1.0  # the first steps of a fresh encoder can be wild
_CURVES = (
    tf.TensorSpec([None], tf.int64),  # row: the light curve of each window
    tf.TensorSpec([None], tf.int64),  # classes
    tf.TensorSpec([None], tf.float32),  # weight of each light curve
    tf.TensorSpec([None, None], tf.float32),  # features beside the embedding
    tf.TensorSpec([3], tf.int64),  # dropout key
)


@dataclass(frozen=True)
class LabelledFeatures:
    """Features of some light curves and their classes.

    Attributes:
        features: float32 [num_curves, K, d_model], the embedding.
        classes: int64 [num_curves].
        beside: float32 [num_curves, B], further features.
    """

    features: np.ndarray
    classes: np.ndarray
    beside: np.ndarray


def train_head(
    head: Head,
    train: LabelledFeatures,
    validation: LabelledFeatures,
    config: FinetuneConfig,
    seed: int,
) -> EarlyStopping:
    """Trains by the cross-entropy weighted with :func:`class_weights`; stops early.

    Leaves the weights of the lowest validation loss in the head.

    Raises:
        TrainingError: the validation loss is not finite.
    """
    head.standardise(train.features, train.beside)
    optimizer = keras.optimizers.Adam(config.head_learning_rate)
    optimizer.build(head.trainable_variables)
    features, beside = tf.constant(train.features), tf.constant(train.beside)
    classes = tf.constant(train.classes)
    weights = tf.constant(class_weights(train.classes))
    count = len(train.classes)
    size = min(config.head_batch_size, count)
    steps = -(-count // size)

    @tf.function(reduce_retracing=True)
    def run_epoch(order: tf.Tensor, shown: tf.Tensor, first_step: tf.Tensor) -> None:
        for step in tf.range(steps):
            rows = order[step]
            weight = tf.gather(weights, rows) * shown[step]
            key = tf.stack([tf.constant(seed, tf.int64), first_step + tf.cast(step, tf.int64), 0])
            with tf.GradientTape() as tape:
                read = tf.gather(features, rows), tf.gather(beside, rows)
                logits = head(*read, training=True, dropout_key=key)
                loss = _weighted_cross_entropy(logits, tf.gather(classes, rows), weight)
            gradients = tape.gradient(loss, head.trainable_variables)
            optimizer.apply(gradients, head.trainable_variables)

    stopping = EarlyStopping(head.variables, config.head_patience)
    shown = (np.arange(steps * size) < count).astype(np.float32).reshape(steps, size)
    for epoch in range(1, config.head_epochs + 1):
        order = np.random.default_rng([seed, epoch]).permutation(count)
        rows = np.pad(order, (0, steps * size - count)).reshape(steps, size)
        first_step = tf.constant((epoch - 1) * steps, tf.int64)
        run_epoch(tf.constant(rows), tf.constant(shown), first_step)
        logits = head(validation.features, validation.beside).numpy()
        loss = validation_loss(logits, validation.classes)
        stopping.update(epoch, loss)
        if stopping.stop:
            break
    stopping.restore()
    return stopping


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


class EncoderTraining:
    """Adam on the class-weighted cross-entropy of whole light curves.

    A light curve is represented by a few random windows in each epoch, pooled together as in
    evaluation; all its windows go through the network in one micro-batch.

    Args:
        classifier: what to train; its head should have been trained on the frozen encoder, so
            that the first gradients do not destroy what the encoder has learned.
        train, validation: the drawn light curves.
        config: the settings.
        seed: of windows, order and dropout.
    """

    def __init__(
        self,
        classifier: Classifier,
        train: LabelledCurves,
        validation: LabelledCurves,
        config: FinetuneConfig,
        seed: int,
    ) -> None:
        self.classifier = classifier
        self.train, self.validation = train, validation
        self.config, self.seed = config, seed
        self.epochs = self._affordable_epochs()
        self._steps = -(-len(train.curves) // config.batch_size)
        self._weights = class_weights(train.classes)
        total = self.epochs * self._steps
        self._variables = classifier.trainable_variables
        self._optimizer = keras.optimizers.Adam(
            WarmUp(config.learning_rate, total // 5, total),
            global_clipnorm=_CLIP_NORM,
        )
        self._optimizer.build(self._variables)
        self._gradients = [tf.Variable(tf.zeros(v.shape)) for v in self._variables]
        self._loss = tf.Variable(0.0)
        encoder = classifier.model.encoder
        # All observations are visible: the periods are the same at every step.
        self._periods, self._validation_periods = (
            classifier.find_periods(part.curves) if part.periods is None else part.periods
            for part in (train, validation)
        )
        self._beside = classifier.beside(train.curves, self._periods)
        signature = (encoder.inputs, *_CURVES)
        self._add = tf.function(self._add_gradients, input_signature=signature, autograph=False)
        self._end = tf.function(self._end_step, autograph=False)

    def run(self, *, progress: bool = False) -> EarlyStopping:
        """Trains; leaves the weights of the lowest validation loss, those before included.

        Args:
            progress: whether to show a bar.
        """
        stopping = EarlyStopping(self.classifier.variables, self.config.patience)
        stopping.update(0, self._validate())
        epochs = range(1, self.epochs + 1)
        for epoch in progress_bar(epochs, desc="training", unit="epochs", disable=not progress):
            self._train_epoch(epoch)
            stopping.update(epoch, self._validate())
            if stopping.stop:
                break
        stopping.restore()
        return stopping

    def windows_per_epoch(self) -> int:
        """Number of windows in an epoch."""
        return int(self._counts(np.arange(len(self.train.curves))).sum())

    def _affordable_epochs(self) -> int:
        affordable = max(self.config.max_windows // max(self.windows_per_epoch(), 1), 1)
        return min(self.config.epochs, affordable)

    def _counts(self, rows: np.ndarray) -> np.ndarray:
        """int64, windows of each of some light curves in an epoch."""
        lengths = self.train.curves.lengths[rows]
        windows = -(-lengths // self.classifier.model.window_size)
        return np.minimum(windows, self.config.windows_per_curve)

    def _train_epoch(self, epoch: int) -> None:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.train.curves))
        size = self.config.batch_size
        for step in range(self._steps):
            number = (epoch - 1) * self._steps + step
            rows = order[step * size : (step + 1) * size]
            share = self._weights[rows] / self._weights[rows].sum()
            for chosen, arrays, first_row in self._micro_batches(rows, rng):
                self._add(
                    *arrays,
                    self.train.classes[rows[chosen]],
                    share[chosen],
                    self._beside[rows[chosen]],
                    np.array([self.seed, number, first_row], np.int64),
                )
            loss = float(self._end())
            if not np.isfinite(loss):
                raise TrainingError(
                    f"The loss must stay finite. Received: {loss} in epoch {epoch} of the "
                    "trainable encoder. Lower --lr."
                )

    def _micro_batches(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, list[Any], int]]:
        """Positions within ``rows``, network inputs with the curve of each window, first row."""
        model, curves = self.classifier.model, self.train.curves
        size = model.window_size
        counts = self._counts(rows)
        longest = np.minimum(curves.lengths[rows], size)
        padded = np.full_like(longest, size) if model.encoder.quirks is not None else longest
        largest = max(_WINDOWS_PER_MICRO_BATCH // self.config.windows_per_curve, 1)
        for part in plan_micro_batches(padded, size, largest):
            row = np.repeat(np.arange(len(part.rows)), counts[part.rows])
            curve = rows[part.rows][row]
            latest = np.maximum(curves.lengths[curve] - size, 0)
            start = curves.offsets[curve] + rng.integers(0, latest + 1)
            windows = Windows(start, np.minimum(size, curves.lengths[curve]), curve)
            probing = nothing_probed(windows.length, size)
            batch = prepare(model, curves, windows, probing, self._periods)
            # Few sizes: empty windows, which count as the first light curve's, weigh nothing.
            filled = whole_lanes(len(row))
            full = MicroBatch(np.arange(len(row)), part.steps, filled, part.first_row)
            inputs = full.of(network_inputs(batch))
            yield part.rows, [inputs, np.pad(row, (0, filled - len(row)))], part.first_row

    def _add_gradients(
        self,
        inputs: dict[str, tf.Tensor],
        row: tf.Tensor,
        classes: tf.Tensor,
        weight: tf.Tensor,
        beside: tf.Tensor,
        key: tf.Tensor,
    ) -> None:
        encoder, head = self.classifier.model.encoder, self.classifier.head
        pooling = self.classifier.pooling
        with tf.GradientTape() as tape:
            # No dropout in the encoder: it would change the pooled means, which vary little
            # between light curves, by more than the difference between the classes.
            layers = encoder.layer_outputs(**inputs)
            pooled = pool_steps(layers, inputs["visible"], pooling)
            observed = tf.math.count_nonzero(inputs["visible"], axis=1)
            count = tf.math.unsorted_segment_sum(observed, row, tf.shape(classes)[0])
            features = pool_windows(pooled, row, count, pooling)
            logits = head(features, beside, training=True, dropout_key=key)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
            loss = tf.reduce_sum(weight * losses)
        gradients = tape.gradient(loss, self._variables)
        for total, gradient in zip(self._gradients, gradients, strict=True):
            if gradient is not None:  # with "mean" or "max" there is one layer to weigh
                total.assign_add(gradient)
        self._loss.assign_add(loss)

    def _end_step(self) -> tf.Tensor:
        loss = self._loss.read_value()
        self._optimizer.apply([g.read_value() for g in self._gradients], self._variables)
        for total in (self._loss, *self._gradients):
            total.assign(tf.zeros_like(total))
        return loss

    def _validate(self) -> float:
        return validation_loss(
            self.classifier.logits(self.validation.curves, self._validation_periods),
            self.validation.classes,
        )


class EarlyStopping:
    """Keeps the weights of the lowest loss, and restores them at the end.

    Args:
        variables: what is trained.
        patience: epochs without a lower loss before ``stop`` is True.

    Attributes:
        best: lowest loss so far.
        best_epoch: the epoch that reached it; 0 is before the first.
        stop: whether patience is used up.
    """

    def __init__(self, variables: Sequence[keras.Variable], patience: int) -> None:
        self._variables = list(variables)
        self._patience = patience
        self._weights: list[np.ndarray] = []
        self.best = float("inf")
        self.best_epoch = 0
        self.stop = False

    def update(self, epoch: int, loss: float) -> None:
        """Keeps the weights where the epoch's loss is the lowest so far."""
        if loss < self.best or not self._weights:
            self.best, self.best_epoch = loss, epoch
            self._weights = [np.array(variable) for variable in self._variables]
        self.stop = epoch - self.best_epoch >= self._patience

    def restore(self) -> None:
        """Sets the variables to the best weights."""
        for variable, value in zip(self._variables, self._weights):
            variable.assign(value)


def _weighted_cross_entropy(logits: tf.Tensor, classes: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """Weighted mean of the cross-entropies; scalar."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
    return tf.math.divide_no_nan(tf.reduce_sum(weight * losses), tf.reduce_sum(weight))
