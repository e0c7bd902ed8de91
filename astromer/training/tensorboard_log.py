"""What a training tells TensorBoard, and when."""

from __future__ import annotations

import time
from typing import Any

from astromer.encoder.config import EncoderConfig
from astromer.encoder.inference import Predictor
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.training.config import TensorBoardConfig, TrainingConfig
from astromer.training.tensorboard.pictures import WatchedCurves
from astromer.training.tensorboard.run_log import RunLog
from astromer.windows.config import MaskingConfig


class TrainingBoard:
    """Keeps the clock and the pictures of a training for its :class:`RunLog`.

    Nothing here is random or changes the model.

    Args:
        log: where it is written.
        config: what is shown besides numbers.
        model: the model in training.
        curves: the validation light curves.
        settings: the knobs of the training.
        predictor: of the model; None where it must not be called in one process alone.
    """

    def __init__(
        self,
        log: RunLog,
        config: TensorBoardConfig,
        model: Reconstructor,
        curves: LightCurves,
        settings: tuple[EncoderConfig, MaskingConfig, TrainingConfig],
        predictor: Predictor | None,
    ):
        self._log, self._config = log, config
        self._model, self._curves = model, curves
        self._settings = settings
        self._predictor = predictor
        self._watched: WatchedCurves | None = None
        self._epoch, self._part = _Clock(), _Clock()

    def begin(self, name: str, epoch: int, step: int) -> None:
        """Training begins, or goes on.

        Args:
            name: of the training.
            epoch: epochs that are done.
            step: steps that are done, from the start of training.
        """
        if not self._log.enabled:
            return
        self._log.go_on(epoch, step)
        self._log.settings(self._settings, name)
        if self._config.image_epochs and self._log.can_draw():
            self._predictor = self._predictor or Predictor(self._model)
            _, masking, training = self._settings
            self._watched = WatchedCurves(
                self._curves,
                self._config.image_curves,
                window_size=self._model.window_size,
                normalise=self._model.normalise,
                masking=masking,
                seed=training.seed,
            )

    def epoch_begins(self) -> None:
        """From now on steps are counted and timed."""
        self._epoch, self._part = _Clock(), _Clock()

    def count(self, windows: int) -> None:
        """A step was taken on so many windows."""
        self._epoch.windows += windows
        self._part.windows += windows

    def step(self, row: dict[str, float], step: int, learning_rate: float) -> None:
        """Writes the epoch's metrics so far."""
        numbers = {"windows_per_second": self._part.rate(), "learning_rate": learning_rate}
        self._log.step({**row, **numbers}, step)
        self._part = _Clock()

    def trained(self) -> None:
        """The steps of the epoch are done."""
        self._epoch.stop()

    def epoch(self, row: dict[str, float], learning_rate: float) -> None:
        """Writes the metrics of an epoch, and now and then a picture."""
        epoch = int(row["epoch"]) + 1
        speed = self._epoch.rate()
        self._log.epoch(row, epoch, learning_rate=learning_rate, windows_per_second=speed)
        if self._watched and (epoch == 1 or epoch % self._config.image_epochs == 0):
            self._log.picture(self._watched, self._predictor, epoch)

    def end(self, trained: bool) -> None:
        """The model has its final weights.

        Args:
            trained: whether there was anything to train; else what is missing is made up for.
        """
        if trained:
            self._log.end()
        if trained or not self._log.has_embeddings():
            self._log.embeddings(self._model, self._curves, self._config.projector_curves)


class _Clock:
    """Windows per second, from the moment that it is made."""

    def __init__(self) -> None:
        self.windows = 0
        self._began = time.monotonic()
        self._ended: float | None = None

    def stop(self) -> None:
        self._ended = time.monotonic()

    def rate(self) -> Any:
        return self.windows / max((self._ended or time.monotonic()) - self._began, 1e-9)
