"""The training loop."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer.distribution import make_strategy
from astromer.encoder import Reconstructor
from astromer.errors import TrainingError, UsageError
from astromer.evaluation import evaluate
from astromer.light_curves import LightCurves
from astromer.prediction import Predictor
from astromer.progress import progress_bar
from astromer.training.epoch import TrainingEpoch
from astromer.training.result import TrainingResult
from astromer.training.state import Progress, StateFile, fingerprint
from astromer.training.step import STEP_SUMS, TrainStep
from pipeline_config import EncoderConfig, MaskingConfig, TrainingConfig, to_dict

# Settings that change how long a run goes on or what it prints, not what a step does.
_FREE_TO_CHANGE = ("epochs", "patience", "log_every", "checkpoint_seconds", "debug", "replicas")
_DRAIN_EVERY = 10  # steps between two looks at the step's numbers; each look waits for them


class Trainer:
    """Pre-trains the encoder by masked reconstruction, and goes on where an earlier run stopped.

    Args:
        train: training light curves.
        validation: light curves that decide on early stopping and on the best epoch.
        encoder, masking, training: the knobs.
        checkpoint_dir: folder of the training state; the same folder continues a run.
        log_dir: folder of the TensorBoard logs.
        strategy: where to run; made from ``training.replicas`` by default.

    Raises:
        UsageError: for settings that cannot work, or a checkpoint of other settings or data.
        TrainingError: if the loss is not finite, naming the objects of the batch.
    """

    def __init__(
        self,
        train: LightCurves,
        validation: LightCurves,
        *,
        encoder: EncoderConfig,
        masking: MaskingConfig,
        training: TrainingConfig,
        checkpoint_dir: Path,
        log_dir: Path,
        strategy: tf.distribute.Strategy | None = None,
    ):
        self.train_curves, self.validation_curves = train, validation
        self.masking, self.training = masking, training
        self.window_size = encoder.window_size
        self.strategy = strategy or make_strategy(training.replicas)
        try:
            with self.strategy.scope():
                self.model = Reconstructor.from_settings(
                    encoder, normalise=training.norm, seed=training.seed
                )
        except ValueError as error:
            raise UsageError(str(error)) from error
        steps_per_epoch = len(self._epoch(0))
        self.step = TrainStep(self.model, self.strategy, training, steps_per_epoch)
        self.predictor = Predictor(self.model, training.batch_size, self.strategy)
        self.state_file = StateFile(checkpoint_dir)
        self.writer = tf.summary.create_file_writer(str(log_dir))
        self.best_weights = self._weights()
        self.progress = Progress(_run_fingerprint(encoder, masking, training, train, validation))
        self._restore()

    def run(self) -> TrainingResult:
        """Trains until the last epoch or until validation stops improving."""
        started = time.monotonic() - self.progress.seconds
        while not self._finished():
            row = self._train_epoch(started)
            row |= self._validate()
            row["seconds"] = time.monotonic() - started
            self._end_epoch(row)
        self._assign(self.best_weights)
        return TrainingResult(self.model, self.progress.history, self.summary())

    def summary(self) -> dict[str, Any]:
        """JSON-able facts about the run."""
        progress = self.progress
        best = next((row for row in progress.history if row["epoch"] == progress.best_epoch), {})
        return {
            "parameters": int(sum(np.prod(v.shape) for v in self.model.trainable_variables)),
            "train_curves": len(self.train_curves),
            "train_observations": self.train_curves.num_observations,
            "validation_curves": len(self.validation_curves),
            "replicas": self.strategy.num_replicas_in_sync,
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch,
            "seconds": round(progress.seconds, 1),
            **{name: value for name, value in best.items() if name.startswith(("val_", "train_"))},
        }

    def _finished(self) -> bool:
        progress = self.progress
        if progress.step:
            return False
        return progress.epoch >= self.training.epochs or progress.waited >= self.training.patience

    def _train_epoch(self, started: float) -> dict[str, float]:
        progress = self.progress
        epoch = self._epoch(progress.epoch)
        pending: list[tf.Tensor] = []
        if not progress.step:
            progress.sums = [0.0] * len(STEP_SUMS)
        saved_at = time.monotonic()
        desc = f"epoch {progress.epoch + 1}/{self.training.epochs}"
        bar = progress_bar(total=len(epoch), desc=desc, unit="step")
        bar.update(progress.step)
        with bar:
            for batch in epoch.batches(progress.step):
                pending.append(self.step(batch, progress.epoch * len(epoch) + progress.step))
                progress.step += 1
                bar.update()
                if len(pending) == _DRAIN_EVERY or progress.step == len(epoch):
                    row = self._drain(pending, epoch)
                    bar.set_postfix({name: f"{value:.4f}" for name, value in row.items()})
                if progress.step % self.training.log_every == 0:
                    self._log(self._drain(pending, epoch), progress.epoch * len(epoch) + progress.step)
                if time.monotonic() - saved_at > self.training.checkpoint_seconds:
                    self._drain(pending, epoch)
                    progress.seconds = time.monotonic() - started
                    self._save()
                    saved_at = time.monotonic()
        return {f"train_{name}": value for name, value in self._drain(pending, epoch).items()}

    def _drain(self, pending: list[tf.Tensor], epoch: TrainingEpoch) -> dict[str, float]:
        """Adds the steps' numbers to the epoch's sums and returns its metrics so far."""
        progress = self.progress
        first = progress.step - len(pending)
        for step, sums in enumerate(pending, first):
            values = sums.numpy().astype(np.float64)
            if not np.isfinite(values).all():
                ids = self.train_curves.ids[np.unique(epoch.batch(step).curve)]
                raise TrainingError(
                    f"The loss must stay finite. Received {values[0]} in epoch "
                    f"{progress.epoch + 1}, step {step + 1}, on objects {', '.join(ids[:10])}"
                    f"{' ...' if len(ids) > 10 else ''}. Look at these light curves, lower --lr, "
                    "or set --clip-norm 1."
                )
            progress.sums = [total + value for total, value in zip(progress.sums, values.tolist())]
        pending.clear()
        loss, count, error, spread = progress.sums
        return {
            "loss": loss / max(progress.step, 1),
            "hidden_rmse": float(np.sqrt(error / count)) if count else float("nan"),
            "hidden_r2": 1 - error / spread if spread else float("nan"),
        }

    def _validate(self) -> dict[str, float]:
        evaluation = evaluate(
            self.model,
            self.validation_curves,
            masking=self.masking,
            seed=self.training.seed,
            batch_size=self.training.batch_size,
            predictor=self.predictor,
            progress=True,
        )
        return {f"val_{name}": value for name, value in evaluation.metrics.items()}

    def _end_epoch(self, row: dict[str, float]) -> None:
        progress = self.progress
        row = {"epoch": progress.epoch, **row}
        if row["val_hidden_rmse"] < progress.best:
            progress.best, progress.best_epoch, progress.waited = (
                row["val_hidden_rmse"],
                progress.epoch,
                0,
            )
            self.best_weights = self._weights()
        else:
            progress.waited += 1
        progress.history.append(row)
        progress.seconds = row["seconds"]
        progress.epoch, progress.step = progress.epoch + 1, 0
        self._log({k: v for k, v in row.items() if k not in ("epoch", "seconds")}, progress.epoch, "epoch/")
        self._save()
        print(_line(row, self.training.epochs, progress.waited), flush=True)

    def _epoch(self, number: int) -> TrainingEpoch:
        return TrainingEpoch(
            self.train_curves,
            number,
            window_size=self.window_size,
            batch_size=self.training.batch_size,
            masking=self.masking,
            normalise=self.training.norm,
            seed=self.training.seed,
        )

    def _save(self) -> None:
        groups = {
            "weights": self._weights(),
            "best": self.best_weights,
            "optimizer": [np.asarray(v) for v in self.step.optimizer.variables],
        }
        self.state_file.save(self.progress, groups)

    def _restore(self) -> None:
        saved = self.state_file.restore(self.progress.fingerprint)
        if saved is None:
            return
        self.progress, groups = saved
        self._assign(groups["weights"])
        self.best_weights = groups["best"]
        for variable, value in zip(self.step.optimizer.variables, groups["optimizer"]):
            variable.assign(value)
        if not self._finished():
            at = f"epoch {self.progress.epoch + 1}, step {self.progress.step}"
            print(f"Going on from {self.state_file.path}: {at}", flush=True)

    def _weights(self) -> list[np.ndarray]:
        return [np.asarray(v) for v in self.model.variables]

    def _assign(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self.model.variables, values):
            variable.assign(value)

    def _log(self, row: dict[str, float], step: int, prefix: str = "step/") -> None:
        with self.writer.as_default():
            for name, value in row.items():
                tf.summary.scalar(prefix + name, value, step=step)
        self.writer.flush()


def train(train: LightCurves, validation: LightCurves, **settings: Any) -> TrainingResult:
    """Pre-trains a model; see :class:`Trainer` for the arguments and errors."""
    if not len(train) or not len(validation):
        raise UsageError(
            "Training needs light curves to train on and to validate with. Received: "
            f"{len(train)} and {len(validation)}."
        )
    keras.utils.set_random_seed(settings["training"].seed)
    tf.config.experimental.enable_op_determinism()
    return Trainer(train, validation, **settings).run()


def _run_fingerprint(
    encoder: EncoderConfig,
    masking: MaskingConfig,
    training: TrainingConfig,
    train: LightCurves,
    validation: LightCurves,
) -> str:
    kept = {k: v for k, v in to_dict(training).items() if k not in _FREE_TO_CHANGE}
    if training.decay != "constant":
        kept["epochs"] = training.epochs  # the schedule depends on them
    data = hashlib.sha256()
    for curves in (train, validation):
        for array in (curves.mjd, curves.mag, curves.errmag, curves.offsets):
            data.update(np.ascontiguousarray(array))
    return fingerprint(to_dict(encoder), to_dict(masking), kept, data.hexdigest())


def _line(row: dict[str, float], epochs: int, waited: int) -> str:
    best = "best so far" if not waited else f"no better for {waited}"
    return (
        f"epoch {int(row['epoch']) + 1}/{epochs}  loss {row['train_loss']:.4f}  "
        f"validation: hidden RMSE {row['val_hidden_rmse']:.4f} mag, R2 {row['val_hidden_r2']:.3f} "
        f"(mean {row['val_mean_hidden_rmse']:.4f}, interpolation "
        f"{row['val_interpolation_hidden_rmse']:.4f})  {row['seconds']:.0f} s, {best}"
    )
