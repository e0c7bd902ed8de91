"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.encoder.inference import Predictor
from astromer.encoder.reconstructor import Reconstructor
from astromer.evaluation.evaluation import evaluate
from astromer.light_curves import LightCurves
from astromer.system.distribution import (
    any_worker,
    check_same,
    is_chief,
    make_strategy,
    several,
    together,
)
from astromer.system.errors import TrainingError, TrainingInterrupted, UsageError
from astromer.system.terminal import progress_bar
from astromer.system.termination import StopRequest
from astromer.training.config import TensorBoardConfig, TrainingConfig
from astromer.training.epoch import TrainingEpoch
from astromer.training.report import TrainingReport, TrainingResult
from astromer.training.state import Progress, StateFile, run_fingerprint
from astromer.training.step import STEP_SUMS, TrainStep
from astromer.training.tensorboard.log import RunLog, TrainingBoard
from astromer.windows.batches import Batch
from astromer.windows.config import MaskingConfig

_DRAIN_EVERY = 10  # steps between two looks at the step's numbers; each look waits for them


class Trainer:
    """Pre-trains the encoder by masked reconstruction, and goes on where an earlier run stopped.

    Args:
        train: training light curves.
        validation: light curves that decide on early stopping and on the best epoch.
        encoder, masking, training: the knobs.
        checkpoint_dir: folder of the training state; the same folder continues a run.
        log_dir: folder of the TensorBoard logs.
        tensorboard: what they show besides numbers.
        strategy: where to run; made from ``training.replicas`` by default.
        initial: weights to begin with, in the order of the model's variables; else fresh ones.

    Raises:
        UsageError: for settings that cannot work, or a checkpoint of other settings or data.
        TrainingError: if the loss is not finite, naming the objects of the batch.
        TrainingInterrupted: on Ctrl-C or SIGTERM, in one worker or all, after the state was saved.
        WorkerLostError: another worker has failed or cannot be reached.
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
        tensorboard: TensorBoardConfig = TensorBoardConfig(),
        strategy: tf.distribute.Strategy | None = None,
        initial: Sequence[np.ndarray] = (),
    ):
        self.train_curves, self.validation_curves = train, validation
        self.masking, self.training = masking, training
        self.window_size = encoder.window_size
        self.strategy = strategy or make_strategy(
            training.replicas, worker_seconds=training.worker_seconds
        )
        self.chief = is_chief(self.strategy)
        try:
            with self.strategy.scope():
                self.model = Reconstructor.from_settings(
                    encoder, normalise=training.norm, seed=training.seed
                )
        except ValueError as error:
            raise UsageError(str(error)) from error
        if initial:
            self._assign(list(initial))
        self.steps_per_epoch = len(self._epoch(0))
        self.step = TrainStep(self.model, self.strategy, training, self.steps_per_epoch)
        self.predictor = Predictor(self.model, self.strategy)
        self.state_file = StateFile(checkpoint_dir)
        self.report = TrainingReport(training.epochs, silent=not self.chief)
        self.board = TrainingBoard(
            RunLog(log_dir, enabled=self.chief),
            tensorboard,
            self.model,
            validation,
            (encoder, masking, training),
            None if several(self.strategy) else self.predictor,
        )
        self.best_weights = self._weights()
        self.progress = Progress(
            run_fingerprint(encoder, masking, training, train, validation, initial)
        )
        self._restore()
        check_same(self.strategy, _place(self.progress))

    def run(self) -> TrainingResult:
        """Trains until the last epoch or until validation stops improving."""
        started = time.monotonic() - self.progress.seconds
        stopping, trained = False, not self._finished()
        with StopRequest() as stop:
            if trained:
                done = self.progress.epoch, self._steps_done()
                self.board.begin(self.progress.fingerprint[:12], *done)
            while not self._finished() and not stopping:
                row = self._train_epoch(started, stop)
                row |= self._validate()
                row["seconds"] = time.monotonic() - started
                self._end_epoch(row)
                stopping = any_worker(self.strategy, stop.requested)
        if stopping and not self._finished():
            self._interrupt()
        self._assign(self.best_weights)
        self.board.end(trained)
        progress = self.progress
        return TrainingResult(self.model, list(progress.history), self.summary(), progress.resumed)

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

    def _steps_done(self) -> int:
        return self.progress.epoch * self.steps_per_epoch + self.progress.step

    def _finished(self) -> bool:
        progress = self.progress
        if progress.step:
            return False
        return progress.epoch >= self.training.epochs or progress.waited >= self.training.patience

    def _train_epoch(self, started: float, stop: StopRequest) -> dict[str, float]:
        progress = self.progress
        epoch = self._epoch(progress.epoch)
        pending: list[tf.Tensor] = []
        if not progress.step:
            progress.sums = [0.0] * len(STEP_SUMS)
        saved_at = time.monotonic()
        desc = self.report.title(progress.epoch, progress.history)
        self.board.epoch_begins()
        bar = progress_bar(total=len(epoch), desc=desc, unit="step", disable=not self.chief)
        bar.update(progress.step)
        with bar:
            for batch in epoch.batches(progress.step):
                pending.append(self.step(batch, progress.epoch * len(epoch) + progress.step))
                progress.step += 1
                bar.update()
                self.board.count(len(batch))
                if len(pending) == _DRAIN_EVERY or progress.step == len(epoch):
                    row = self._drain(pending, epoch)
                    bar.set_postfix_str(f"loss {row['loss']:.4f}", refresh=False)
                if progress.step % self.training.log_every == 0:
                    row, done = self._drain(pending, epoch), self._steps_done()
                    self.board.step(row, done, self.step.learning_rate(done - 1))
                overdue = time.monotonic() - saved_at > self.training.checkpoint_seconds
                stopping = self._is_to_stop(stop)
                if overdue or stopping:
                    self._drain(pending, epoch)
                    progress.seconds = time.monotonic() - started
                    self._save()
                    saved_at = time.monotonic()
                if stopping:
                    self._interrupt()
        self.board.trained()
        return {f"train_{name}": value for name, value in self._drain(pending, epoch).items()}

    def _is_to_stop(self, stop: StopRequest) -> bool:
        """Several workers ask each other only now and then: all stop after the same step."""
        if several(self.strategy) and self.progress.step % _DRAIN_EVERY:
            return False
        return any_worker(self.strategy, stop.requested)

    def _drain(self, pending: list[tf.Tensor], epoch: TrainingEpoch) -> dict[str, float]:
        """Adds the steps' numbers to the epoch's sums and returns its metrics so far."""
        progress = self.progress
        first = progress.step - len(pending)
        for step, sums in enumerate(pending, first):
            values = sums.numpy().astype(np.float64)
            if not np.isfinite(values).all():
                ids = _suspects(epoch.batch(step), self.train_curves)
                raise TrainingError(
                    f"The loss must stay finite. Received {values[0]} in epoch "
                    f"{progress.epoch + 1}, step {step + 1}, on objects {', '.join(ids[:10])}"
                    f"{' ...' if len(ids) > 10 else ''}. Look at these light curves, lower --lr, "
                    "or set --clip-norm 1."
                )
            progress.sums = [
                total + value for total, value in zip(progress.sums, values.tolist(), strict=True)
            ]
        pending.clear()
        loss, count, error, spread = progress.sums
        return {
            "loss": loss / max(progress.step, 1),
            "hidden_rmse": float(np.sqrt(error / count)) if count else float("nan"),
            "hidden_r2": 1 - error / spread if spread else float("nan"),
        }

    def _interrupt(self) -> NoReturn:
        raise TrainingInterrupted(
            f"training was interrupted in epoch {self.progress.epoch + 1}, after step "
            f"{self.progress.step}. Its state is in {self.state_file.path}: give the same command "
            "again to go on."
        )

    def _validate(self) -> dict[str, float]:
        evaluation = evaluate(
            self.model,
            self.validation_curves,
            masking=self.masking,
            seed=self.training.seed,
            batch_size=self.training.batch_size,
            predictor=self.predictor,
            progress=self.chief,
        )
        return {f"val_{name}": value for name, value in evaluation.metrics.items()}

    def _end_epoch(self, row: dict[str, float]) -> None:
        progress = self.progress
        row = {"epoch": progress.epoch, **row}
        if not np.isfinite(row["val_hidden_rmse"]):
            raise TrainingError(
                f"Validation must have a finite hidden-step RMSE. Received "
                f"{row['val_hidden_rmse']} over {row['val_hidden_steps']:.0f} hidden steps. "
                "Validate with longer light curves, or probe more steps (--probed)."
            )
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
        # Before the state is saved: a resumed run takes back what its state does not know.
        self.board.epoch(row, self.step.learning_rate(self._steps_done() - 1))
        progress.epoch, progress.step = progress.epoch + 1, 0
        self._save()
        self.report.epoch(row, progress.waited)

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
        if not self.chief:
            return  # every worker holds the same state
        self.state_file.save(self.progress, self._state())

    def _state(self) -> dict[str, list[np.ndarray]]:
        return {
            "weights": self._weights(),
            "best": self.best_weights,
            "optimizer": [np.asarray(v) for v in self.step.optimizer.variables],
        }

    def _restore(self) -> None:
        shapes = {name: [a.shape for a in arrays] for name, arrays in self._state().items()}
        saved = self.state_file.restore(self.progress.fingerprint, shapes)
        if saved is None:
            return
        if self.state_file.damaged:
            self.report.goes_back(self.state_file.path, self.state_file.earlier)
        self.progress, groups = saved
        self._assign(groups["weights"])
        self.best_weights = groups["best"]
        for variable, value in zip(self.step.optimizer.variables, groups["optimizer"], strict=True):
            variable.assign(value)
        if not self._finished():
            self.progress.resumed.append([self.progress.epoch, self.progress.step])
            self.report.goes_on(self.state_file.source, self.progress.epoch, self.progress.step)

    def _weights(self) -> list[np.ndarray]:
        return [np.asarray(v) for v in self.model.variables]

    def _assign(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self.model.variables, values, strict=True):
            variable.assign(value)


def _place(progress: Progress) -> str:
    return f"epoch {progress.epoch + 1}, step {progress.step} of the run {progress.fingerprint}"


def _suspects(batch: Batch, curves: LightCurves) -> list[str]:
    """Ids of the objects of a batch, those with values that are not finite first."""
    finite = np.isfinite(batch.target).all(axis=1) & np.isfinite(batch.times).all(axis=1)
    order = np.argsort(finite, kind="stable")
    return list(dict.fromkeys(curves.ids[batch.curve[order]].tolist()))


def train(train: LightCurves, validation: LightCurves, **settings: Any) -> TrainingResult:
    """Pre-trains a model; see :class:`Trainer` for the arguments and errors."""
    if not len(train) or not len(validation):
        raise UsageError(
            "Training needs light curves to train on and to validate with. Received: "
            f"{len(train)} and {len(validation)}."
        )
    keras.utils.set_random_seed(settings["training"].seed)
    tf.config.experimental.enable_op_determinism()
    training: TrainingConfig = settings["training"]
    strategy = settings.pop("strategy", None) or make_strategy(
        training.replicas, worker_seconds=training.worker_seconds
    )
    with together(strategy):
        return Trainer(train, validation, strategy=strategy, **settings).run()
