"""Training encoder and head together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.inference import network_inputs
from astromer.encoder.pooling import pool_steps, pool_windows
from astromer.finetuning.classifier import Classifier
from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.dataset import class_weights
from astromer.finetuning.early_stopping import EarlyStopping
from astromer.finetuning.head_training import validation_loss
from astromer.light_curves import LightCurves
from astromer.system.errors import TrainingError
from astromer.system.progress import progress_bar
from astromer.training.schedule import WarmUp
from astromer.windows.batches import assemble
from astromer.windows.masking import nothing_probed
from astromer.windows.micro_batches import plan_passes
from astromer.windows.windows import Windows

_WINDOWS_PER_PASS = 32
_CLIP_NORM = 1.0  # the first steps of a fresh encoder can be wild
_INPUTS = (
    tf.TensorSpec([None, None], tf.float32),  # times
    tf.TensorSpec([None, None], tf.float32),  # magnitudes
    tf.TensorSpec([None, None], tf.bool),  # visible
    tf.TensorSpec([None], tf.int64),  # row: the light curve of each window
    tf.TensorSpec([None], tf.int64),  # classes
    tf.TensorSpec([None], tf.float32),  # weight of each light curve
    tf.TensorSpec([3], tf.int64),  # dropout key
)


@dataclass(frozen=True)
class CurvesAndClasses:
    """Light curves and the index of the class of each, int64 [num_curves]."""

    curves: LightCurves
    classes: np.ndarray


class EncoderTraining:
    """Adam on the class-weighted cross-entropy of whole light curves.

    A light curve is represented by a few random windows in each epoch, pooled together as in
    evaluation; all its windows go through the network in one pass.

    Args:
        classifier: what to train; its head should have been trained on the frozen encoder, so
            that the first gradients do not wreck what the encoder has learned.
        train, validation: the drawn light curves.
        config: the knobs.
        seed: of windows, order and dropout.
    """

    def __init__(
        self,
        classifier: Classifier,
        train: CurvesAndClasses,
        validation: CurvesAndClasses,
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
        self._add = tf.function(self._add_pass, input_signature=_INPUTS, autograph=False)
        self._end = tf.function(self._end_step, autograph=False)

    def run(self, *, progress: bool = False) -> EarlyStopping:
        """Trains; leaves the weights of the lowest validation loss, those before included.

        Args:
            progress: whether to show a bar.
        """
        stopping = EarlyStopping(self.classifier.variables, self.config.patience)
        stopping.look(0, self._validate())
        epochs = range(1, self.epochs + 1)
        for epoch in progress_bar(epochs, desc="training", unit="epochs", disable=not progress):
            self._train_epoch(epoch)
            stopping.look(epoch, self._validate())
            if stopping.stop:
                break
        stopping.restore()
        return stopping

    def windows_per_epoch(self) -> int:
        """Windows that an epoch is trained on."""
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
            for inputs in self._passes(rows, rng):
                chosen, arrays, first_row = inputs
                self._add(
                    *arrays,
                    self.train.classes[rows[chosen]],
                    share[chosen],
                    np.array([self.seed, number, first_row], np.int64),
                )
            loss = float(self._end())
            if not np.isfinite(loss):
                raise TrainingError(
                    f"The loss must stay finite. Received {loss} in epoch {epoch} of the "
                    "trainable encoder. Lower --lr."
                )

    def _passes(
        self, rows: np.ndarray, rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, list[np.ndarray], int]]:
        """Positions within ``rows``, network inputs with the curve of each window, first row."""
        model, curves = self.classifier.model, self.train.curves
        size = model.window_size
        counts = self._counts(rows)
        longest = np.minimum(curves.lengths[rows], size)
        padded = np.full_like(longest, size) if model.encoder.quirks is not None else longest
        largest = max(_WINDOWS_PER_PASS // self.config.windows_per_curve, 1)
        for part in plan_passes(padded, size, largest):
            row = np.repeat(np.arange(len(part.rows)), counts[part.rows])
            curve = rows[part.rows][row]
            latest = np.maximum(curves.lengths[curve] - size, 0)
            start = curves.offsets[curve] + rng.integers(0, latest + 1)
            windows = Windows(start, np.minimum(size, curves.lengths[curve]), curve)
            probing = nothing_probed(windows.length, size)
            batch = assemble(curves, windows, probing, normalise=model.normalise)
            arrays = [array[:, : part.steps] for array in network_inputs(batch).values()]
            yield part.rows, [*arrays, row], part.first_row

    def _add_pass(
        self,
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        visible: tf.Tensor,
        row: tf.Tensor,
        classes: tf.Tensor,
        weight: tf.Tensor,
        key: tf.Tensor,
    ) -> None:
        encoder, head = self.classifier.model.encoder, self.classifier.head
        pooling = self.classifier.pooling
        with tf.GradientTape() as tape:
            # No dropout in the encoder: it would move the pooled means, which vary little between
            # light curves, by more than what tells the classes apart.
            layers = encoder.layer_outputs(times, magnitudes, visible)
            pooled = pool_steps(layers, visible, pooling)
            observed = tf.math.count_nonzero(visible, axis=1)
            count = tf.math.unsorted_segment_sum(observed, row, tf.shape(classes)[0])
            features = pool_windows(pooled, row, count, pooling)
            logits = head(features, training=True, dropout_key=key)
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
            self.classifier.logits(self.validation.curves), self.validation.classes
        )
