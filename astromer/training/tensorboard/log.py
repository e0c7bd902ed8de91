"""What a training tells TensorBoard, and when."""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.encoder.inference import Predictor
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.system.storage import as_path
from astromer.training.config import TensorBoardConfig, TrainingConfig
from astromer.training.tensorboard import plugins as hyperparameters
from astromer.training.tensorboard.event_files import LINES, TRAIN, VALIDATION, remove_events
from astromer.training.tensorboard.pictures import ReconstructionImage, WatchedCurves
from astromer.training.tensorboard.plugins import CONFIG_FILE, write_projector
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


_COUNTS = ("hidden_steps", "windows")  # the same at every epoch
EPOCH = "epoch/"
"""Begins the tags of an epoch's metrics."""

_STEP = "step/"
_LOG = logging.getLogger(__name__)


class RunLog:
    """Writes what TensorBoard shows. Nothing is made before something is written.

    Args:
        folder: of the training's logs, here or in a store.
        enabled: False for workers that are not the chief: then nothing is ever written.
    """

    def __init__(self, folder: Path, enabled: bool = True):
        self.folder = as_path(folder)
        self.enabled = enabled
        self._writers: dict[str, Any] = {}
        self._image = ReconstructionImage()

    def go_on(self, epoch: int, step: int) -> None:
        """Forgets what comes after a checkpoint.

        Args:
            epoch: epochs that it has seen.
            step: steps since the start of training that it has seen.
        """
        if not self.enabled:
            return

        def keep(tag: str, at: int) -> bool:
            return at <= (step if tag.startswith(_STEP) else epoch)

        remove_events(self.folder, lambda tag, _: not tag.startswith(hyperparameters.TAGS))
        for name in LINES:
            remove_events(self.folder / name, keep)

    def settings(self, configs: Sequence[Any], name: str) -> None:
        """Writes the hyperparameters of the run called ``name``."""
        with self._writer("").as_default():
            hyperparameters.write_hyperparameters(configs, name, VALIDATION)
        self._flush("")

    def step(self, row: Mapping[str, float], step: int) -> None:
        """Writes an epoch's metrics so far, after so many steps."""
        self._scalars(TRAIN, _STEP, row, step)

    def epoch(self, row: Mapping[str, float], epoch: int, **more: float) -> None:
        """Writes the metrics of an epoch.

        Args:
            row: "train_..." and "val_..." go to charts of their own names without that.
            epoch: its number, from 1.
            more: further numbers of the training.
        """
        found: dict[str, dict[str, float]] = {name: {} for name in LINES}
        for metric, value in row.items():
            # Of two beginnings that fit the longer: "val_mean_" is a line of its own.
            name = max((n for n in LINES if metric.startswith(LINES[n])), key=_length, default=None)
            if name is not None:
                found[name][metric.removeprefix(LINES[name])] = value
        for name in _COUNTS:
            found[VALIDATION].pop(name, None)
        found[TRAIN] |= more
        for name, values in found.items():
            self._scalars(name, EPOCH, values, epoch)

    def picture(self, watched: WatchedCurves, predict: Any, epoch: int) -> None:
        """Draws light curves with what the network makes of them."""
        if not self.enabled:
            return
        image = tf.image.decode_png(self._image.draw(watched.panels(predict)), channels=3)
        with self._writer(VALIDATION).as_default():
            tf.summary.image("reconstructions", image[None], step=np.int64(epoch))
        self._flush(VALIDATION)

    def can_draw(self) -> bool:
        """Whether pictures can be drawn; if not, one line of the log says why."""
        found = importlib.util.find_spec("matplotlib") is not None
        if not found and self.enabled:
            _LOG.warning("No pictures for TensorBoard: matplotlib is not installed (extra plots).")
        return found

    def end(self) -> None:
        """Writes that the training has come to its end."""
        with self._writer("").as_default():
            hyperparameters.write_end()
        self._flush("")

    def has_embeddings(self) -> bool:
        """Whether the projector has something to show."""
        return (self.folder / VALIDATION / CONFIG_FILE).exists()

    def embeddings(self, model: Reconstructor, curves: LightCurves, most: int) -> None:
        """Writes the embeddings of at most so many light curves for the projector."""
        if self.enabled and most:
            write_projector(self.folder / VALIDATION, model, curves, most, progress=True)

    def _scalars(self, name: str, prefix: str, row: Mapping[str, float], step: int) -> None:
        # As numpy's: of each Python number TensorFlow keeps a tensor until the process ends.
        at = np.int64(step)
        with self._writer(name).as_default():
            for metric, value in row.items():
                tf.summary.scalar(prefix + metric, np.float32(value), step=at)
        self._flush(name)

    def _writer(self, name: str) -> Any:
        if not self.enabled:
            return tf.summary.create_noop_writer()
        if name not in self._writers:
            place = self.folder / name if name else self.folder
            self._writers[name] = tf.summary.create_file_writer(str(place))
        return self._writers[name]

    def _flush(self, name: str) -> None:
        if name in self._writers:
            self._writers[name].flush()


def _length(name: str) -> int:
    return len(LINES[name])
