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
from astromer.evaluation.evaluation import Evaluation, evaluate, fixed_batches, fixed_periods
from astromer.evaluation.metrics import spread_factor
from astromer.light_curves import LightCurves
from astromer.records.synthetic.endless import with_synthetic
from astromer.system.distribution import (
    any_worker,
    check_same,
    fail_together,
    is_chief,
    is_multi_worker,
    make_strategy,
)
from astromer.system.environment import processor
from astromer.system.errors import TrainingError, TrainingInterrupted, UsageError
from astromer.system.parallel import describe_kernels
from astromer.system.terminal import progress_bar, say
from astromer.system.termination import StopRequest
from astromer.training.config import TensorBoardConfig, TrainingConfig
from astromer.training.epoch import MaskDraws, TrainingEpoch
from astromer.training.report import TrainingReport, TrainingResult
from astromer.training.state import Progress, StateFile, run_fingerprint
from astromer.training.step import STEP_SUMS, TrainStep
from astromer.training.tensorboard.log import RunLog, TrainingLog
from astromer.validation.training_range import training_range
from astromer.windows.batches import sequential_windows
from astromer.windows.config import MaskingConfig

_COLLECT_EVERY = 10  # steps; reading their sums waits for them


def train(train: LightCurves, validation: LightCurves, **settings: Any) -> TrainingResult:
    """Pre-trains a model, on synthetic stars too where the knobs say so.

    See :class:`Trainer` for the arguments and errors.
    """
    if not len(train) or not len(validation):
        raise UsageError(
            "Training needs light curves to train on and to validate with. Received: "
            f"{len(train)} and {len(validation)}."
        )
    training: TrainingConfig = settings["training"]
    keras.utils.set_random_seed(training.seed)
    tf.config.experimental.enable_op_determinism()
    strategy = settings.pop("strategy", None) or make_strategy(
        training.replicas, worker_seconds=training.worker_seconds
    )
    with fail_together(strategy):
        if training.synthetic_share:
            number = len(train)
            train = with_synthetic(train, training.synthetic_share, training.seed)
            if is_chief(strategy):
                say(f"mixed in {len(train) - number:,} synthetic stars (--synthetic-share)")
        return Trainer(train, validation, strategy=strategy, **settings).run()


class Trainer:
    """Pre-trains the encoder by masked reconstruction, or resumes a run that was stopped.

    Args:
        train: training light curves.
        validation: light curves that decide on early stopping and on the best epoch.
        encoder, masking, training: the knobs.
        checkpoint_dir: folder of the training state; the same folder resumes a run.
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
        self.window_size, self.masking, self.training = encoder.window_size, masking, training
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
        fingerprint = run_fingerprint(encoder, masking, training, train, validation, initial)
        self.draws = self._make_draws(checkpoint_dir, fingerprint)
        # Of the longest epoch: the windows of draws differ in number by a few, and no step of one
        # epoch may have the number of another's.
        draws = 1 if self.draws is None else min(self.draws.number, training.epochs)
        self.steps_per_epoch = max(len(self._epoch(number)) for number in range(draws))
        self.step = TrainStep(self.model, self.strategy, training, self.steps_per_epoch)
        self.predictor = Predictor(self.model, self.strategy)
        self._evaluation: Evaluation | None = None  # the last one, for its baselines
        self.state_file = StateFile(checkpoint_dir)
        self.report = TrainingReport(training.epochs, silent=not self.chief)
        self.log = TrainingLog(
            RunLog(log_dir, enabled=self.chief),
            tensorboard,
            self.model,
            validation,
            (encoder, masking, training),
            None if is_multi_worker(self.strategy) else self.predictor,
        )
        self.best_weights = self._weights()
        self.progress = Progress(fingerprint)
        self._restore()
        kernels = f"{self.step.precision}, {describe_kernels()}, {processor()}"
        self.report.kernels(kernels, self.progress.kernels, self.step.is_slower)
        self.progress.kernels = kernels
        check_same(self.strategy, str(self.progress))

    def run(self) -> TrainingResult:
        """Trains until the last epoch or until validation stops improving."""
        self._started = time.monotonic() - self.progress.seconds
        trained, stopping = not self._finished(), False
        with StopRequest() as stop:
            if trained:
                name = self.progress.fingerprint[:12]
                self.log.begin(name, self.progress.epoch, self._steps_done())
            while not self._finished() and not stopping:
                row = self._train_epoch(stop) | self._validate()
                self._end_epoch(row | {"seconds": self._seconds()})
                stopping = any_worker(self.strategy, stop.requested)
        if not self._finished():
            self._interrupt()
        self._assign(self.best_weights)
        self._calibrate()
        self.log.end(trained)
        history, resumed = list(self.progress.history), self.progress.resumed
        trained_on = training_range(self.train_curves)
        return TrainingResult(self.model, history, self.summary(), resumed, trained_on)

    def _calibrate(self) -> None:
        """Scales the predicted standard deviations by what fits the validation split."""
        if self.model.spread is None:
            return
        curves = self.validation_curves
        windows = sequential_windows(curves.offsets, self.window_size)
        fixed = (self.model, curves, windows, self.masking, self.training.seed)
        if self._evaluation is not None:
            periods = self._evaluation.periods
        else:  # a finished training was begun again
            periods = fixed_periods(*fixed, progress=self.chief)
        batches = fixed_batches(*fixed, self.training.batch_size, periods)
        self.model.spread.factor.assign(spread_factor(self.predictor, batches))

    def _train_epoch(self, stop: StopRequest) -> dict[str, float]:
        """Takes the steps that are left of the epoch. Returns its metrics."""
        progress, epoch = self.progress, self._epoch(self.progress.epoch)
        self._find_periods(stop)
        if not progress.step:
            progress.sums = [0.0] * len(STEP_SUMS)
        pending: list[tf.Tensor] = []  # sums of the last steps, not read yet
        saved_at = time.monotonic()
        title = self.report.title(progress.epoch, progress.history)
        bar = progress_bar(total=len(epoch), desc=title, unit="step", disable=not self.chief)
        bar.update(progress.step)
        self.log.begin_epoch()
        with bar:
            for batch in epoch.batches(progress.step):
                pending.append(self.step(batch, self._steps_done()))
                progress.step += 1
                bar.update()
                self.log.count(len(batch))
                if len(pending) == _COLLECT_EVERY or progress.step == len(epoch):
                    row = self._collect(pending, epoch)
                    bar.set_postfix_str(f"loss {row['loss']:.4f}", refresh=False)
                if progress.step % self.training.log_every == 0:
                    self.log.step(
                        self._collect(pending, epoch), self._steps_done(), self._learning_rate()
                    )
                overdue = time.monotonic() - saved_at > self.training.checkpoint_seconds
                stopping = self._must_stop(stop)
                if overdue or stopping:
                    self._collect(pending, epoch)
                    progress.seconds = self._seconds()
                    self._save()
                    saved_at = time.monotonic()
                if stopping:
                    self._interrupt()
        self.log.end_steps()
        return {f"train_{name}": value for name, value in self._collect(pending, epoch).items()}

    def _collect(self, pending: list[tf.Tensor], epoch: TrainingEpoch) -> dict[str, float]:
        """Adds the pending sums to those of the epoch. Returns its metrics so far."""
        progress = self.progress
        for step, sums in enumerate(pending, progress.step - len(pending)):
            values = sums.numpy().astype(np.float64)
            if not np.isfinite(values).all():
                self._fail(values[0], epoch, step)
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

    def _fail(self, loss: float, epoch: TrainingEpoch, step: int) -> NoReturn:
        """Names the objects of the batch, those with values that are not finite first."""
        batch = epoch.batch(step)
        finite = np.isfinite(batch.target).all(axis=1) & np.isfinite(batch.times).all(axis=1)
        suspects = batch.curve[np.argsort(finite, kind="stable")]
        ids = list(dict.fromkeys(self.train_curves.ids[suspects].tolist()))
        raise TrainingError(
            f"The loss must stay finite. Received: {loss} in epoch {self.progress.epoch + 1}, step "
            f"{step + 1}, on objects {', '.join(ids[:10])}{' ...' if len(ids) > 10 else ''}. "
            "Inspect these light curves, lower --lr, or set --clip-norm 1."
        )

    def _validate(self) -> dict[str, float]:
        self._evaluation = evaluate(
            self.model,
            self.validation_curves,
            masking=self.masking,
            seed=self.training.seed,
            batch_size=self.training.batch_size,
            predictor=self.predictor,
            earlier=self._evaluation,
            progress=self.chief,
        )
        return {f"val_{name}": value for name, value in self._evaluation.metrics.items()}

    def _end_epoch(self, row: dict[str, float]) -> None:
        """Keeps the best weights, then logs, saves and reports the epoch."""
        progress, rmse = self.progress, row["val_hidden_rmse"]
        if not np.isfinite(rmse):
            raise TrainingError(
                f"Validation must have a finite hidden-step RMSE. Received: {rmse} over "
                f"{row['val_hidden_steps']:.0f} hidden steps. Validate with longer light curves, "
                "or probe more steps (--probed)."
            )
        if rmse < progress.best:
            progress.best, progress.best_epoch, progress.waited = rmse, progress.epoch, 0
            self.best_weights = self._weights()
        else:
            progress.waited += 1
        row = {"epoch": progress.epoch, **row}
        progress.history.append(row)
        progress.seconds = row["seconds"]
        # Before the state is saved: a resumed run removes what its state does not know.
        self.log.epoch(row, self._learning_rate())
        progress.epoch, progress.step = progress.epoch + 1, 0
        self._save()
        self.report.epoch(row, progress.waited)

    def _finished(self) -> bool:
        progress, training = self.progress, self.training
        ended = progress.epoch >= training.epochs or progress.waited >= training.patience
        return ended and not progress.step

    def _must_stop(self, stop: StopRequest) -> bool:
        """Several workers ask each other only now and then: all stop after the same step."""
        if is_multi_worker(self.strategy) and self.progress.step % _COLLECT_EVERY:
            return False
        return any_worker(self.strategy, stop.requested)

    def _interrupt(self) -> NoReturn:
        raise TrainingInterrupted(
            f"training was interrupted in epoch {self.progress.epoch + 1}, after step "
            f"{self.progress.step}. Its state is in {self.state_file.path}: give the same command "
            "again to resume."
        )

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
            "precision": self.step.precision,
            **{name: value for name, value in best.items() if name.startswith(("val_", "train_"))},
        }

    def _epoch(self, number: int) -> TrainingEpoch:
        return TrainingEpoch(
            self.train_curves,
            number,
            window_size=self.window_size,
            batch_size=self.training.batch_size,
            masking=self.masking,
            normalise=self.model.normalise,
            seed=self.training.seed,
            draws=self.draws,
        )

    def _make_draws(self, folder: Path, fingerprint: str) -> MaskDraws | None:
        if not self.model.encoder.folds:
            return None
        return MaskDraws(
            self.train_curves,
            self.training.mask_draws,
            window_size=self.window_size,
            masking=self.masking,
            seed=self.training.seed,
            periodogram=self.model.encoder.periodogram,
            folder=folder,
            fingerprint=fingerprint,
        )

    def _find_periods(self, stop: StopRequest) -> None:
        """Finds the periods in the draw of this epoch, unless an earlier epoch did."""
        if self.draws is None:
            return
        alone = not is_multi_worker(self.strategy)  # else all stop together, after a step
        number = self.progress.epoch % self.draws.number
        if not self.draws.find(number, lambda: alone and stop.requested, self.chief):
            self.progress.seconds = self._seconds()
            self._save()
            self._interrupt()

    def _steps_done(self) -> int:
        return self.progress.epoch * self.steps_per_epoch + self.progress.step

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _learning_rate(self) -> float:
        """That of the last step."""
        return self.step.learning_rate(self._steps_done() - 1)

    def _save(self) -> None:
        if self.chief:  # every worker holds the same state
            self.state_file.save(self.progress, self._state())

    def _state(self) -> dict[str, list[np.ndarray]]:
        optimizer = [np.asarray(v) for v in self.step.optimizer.variables]
        return {"weights": self._weights(), "best": self.best_weights, "optimizer": optimizer}

    def _restore(self) -> None:
        shapes = {name: [a.shape for a in arrays] for name, arrays in self._state().items()}
        saved = self.state_file.restore(self.progress.fingerprint, shapes)
        if saved is None:
            return
        if self.state_file.damaged:
            self.report.fell_back(self.state_file.path, self.state_file.earlier)
        self.progress, groups = saved
        self._assign(groups["weights"])
        self.best_weights = groups["best"]
        for variable, value in zip(self.step.optimizer.variables, groups["optimizer"], strict=True):
            variable.assign(value)
        if not self._finished():
            self.progress.resumed.append([self.progress.epoch, self.progress.step])
            self.report.resumed(self.state_file.source, self.progress.epoch, self.progress.step)

    def _weights(self) -> list[np.ndarray]:
        return [np.asarray(v) for v in self.model.variables]

    def _assign(self, values: list[np.ndarray]) -> None:
        for variable, value in zip(self.model.variables, values, strict=True):
            variable.assign(value)
