"""The TensorBoard log of a training: event files, one folder for each line of its charts.

``train/`` and ``validation/`` have the same tags, so that both are in one chart; ``mean/`` and
``interpolation/`` are the baselines in those charts. Hyperparameters are in the folder itself.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from astromer.training.tensorboard import plugins
from astromer.training.tensorboard.event_files import LINES, TRAIN, VALIDATION, remove_events
from astromer.training.tensorboard.plugins import WatchedCurves
from astromer.windows.config import MaskingConfig

EPOCH = "epoch/"
"""Prefix of the tags of an epoch's metrics."""

_STEP = "step/"
_COUNTS = ("hidden_steps", "windows")  # the same at every epoch
_LOG = logging.getLogger(__name__)


class TrainingLog:
    """Decides what of a training its :class:`RunLog` shows, and measures its speed.

    Nothing here is random or changes the model.

    Args:
        log: where to write.
        config: what is shown besides numbers.
        model: the model in training.
        curves: the validation light curves.
        settings: the knobs of the training.
        predictor: of the model; None where one process alone must not call it.
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
        self._log, self._config, self._settings = log, config, settings
        self._model, self._curves, self._predictor = model, curves, predictor
        self._watched: WatchedCurves | None = None
        self._epoch, self._part = _Clock(), _Clock()

    def begin(self, name: str, epoch: int, step: int) -> None:
        """The training called ``name`` begins, or resumes after so many epochs and steps."""
        if not self._log.enabled:
            return
        self._log.resume(epoch, step)
        self._log.hyperparameters(self._settings, name)
        if not self._config.image_epochs:
            return
        if importlib.util.find_spec("matplotlib") is None:
            _LOG.warning("No pictures for TensorBoard: matplotlib is not installed (extra plots).")
            return
        _, masking, training = self._settings
        self._predictor = self._predictor or Predictor(self._model)
        self._watched = WatchedCurves(
            self._curves,
            self._config.image_curves,
            model=self._model,
            masking=masking,
            seed=training.seed,
        )

    def begin_epoch(self) -> None:
        """Starts to count and time the steps of an epoch."""
        self._epoch, self._part = _Clock(), _Clock()

    def count(self, windows: int) -> None:
        """Counts the windows of a step."""
        self._epoch.windows += windows
        self._part.windows += windows

    def step(self, row: dict[str, float], step: int, learning_rate: float) -> None:
        """Writes the epoch's metrics so far."""
        speed = self._part.windows_per_second()
        self._log.step({**row, "windows_per_second": speed, "learning_rate": learning_rate}, step)
        self._part = _Clock()

    def end_steps(self) -> None:
        """Stops timing: the steps of the epoch are done."""
        self._epoch.ended = time.monotonic()

    def epoch(self, row: dict[str, float], learning_rate: float) -> None:
        """Writes the metrics of an epoch, and of some epochs a picture."""
        epoch = int(row["epoch"]) + 1
        speed = self._epoch.windows_per_second()
        self._log.epoch(row, epoch, learning_rate=learning_rate, windows_per_second=speed)
        if not self._watched or not self._predictor:
            return
        if epoch == 1 or epoch % self._config.image_epochs == 0:
            self._log.picture(self._watched.draw(self._predictor), epoch)

    def end(self, trained: bool) -> None:
        """The model has its final weights; if it had them before, adds missing embeddings only."""
        if trained:
            self._log.end()
        if trained or not self._log.has_embeddings():
            self._log.embeddings(self._model, self._curves, self._config.projector_curves)


@dataclass
class _Clock:
    """Counts windows, from when it is made until it is stopped."""

    windows: int = 0
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None

    def windows_per_second(self) -> float:
        return self.windows / max((self.ended or time.monotonic()) - self.began, 1e-9)


class RunLog:
    """Writes what TensorBoard shows. Makes no file before there is something to write.

    Args:
        folder: of the training's logs, here or in a store.
        enabled: False for workers that are not the chief: then nothing is ever written.
    """

    def __init__(self, folder: Path, enabled: bool = True):
        self.folder, self.enabled = as_path(folder), enabled
        self._writers: dict[str, Any] = {}

    def resume(self, epoch: int, step: int) -> None:
        """Removes what an earlier part wrote after the checkpoint at so many epochs and steps."""
        if not self.enabled:
            return
        remove_events(self.folder, lambda tag, _: not tag.startswith(plugins.HPARAMS_TAGS))
        for name in LINES:
            folder = self.folder / name
            remove_events(folder, lambda tag, at: at <= (step if tag.startswith(_STEP) else epoch))

    def hyperparameters(self, configs: Sequence[Any], name: str) -> None:
        """Writes the hyperparameters of the run called ``name``."""
        with self._writer("").as_default():
            plugins.write_hyperparameters(configs, name, VALIDATION)
        self._flush("")

    def step(self, row: Mapping[str, float], step: int) -> None:
        """Writes an epoch's metrics so far, after so many steps."""
        self._scalars(TRAIN, _STEP, row, step)

    def epoch(self, row: Mapping[str, float], epoch: int, **more: float) -> None:
        """Writes the metrics of an epoch.

        Args:
            row: metrics; their prefix ("train_", "val_" ...) gives the line and is left out.
            epoch: its number, from 1.
            more: further numbers of the training.
        """
        found: dict[str, dict[str, float]] = {name: {} for name in LINES}
        for metric, value in row.items():
            # The longest prefix that fits: "val_mean_" is a line of its own.
            fitting = [name for name in LINES if metric.startswith(LINES[name])]
            if fitting:
                name = max(fitting, key=lambda name: len(LINES[name]))
                found[name][metric.removeprefix(LINES[name])] = value
        for name in _COUNTS:
            found[VALIDATION].pop(name, None)
        found[TRAIN] |= more
        for name, values in found.items():
            self._scalars(name, EPOCH, values, epoch)

    def picture(self, png: bytes, epoch: int) -> None:
        """Writes a picture of reconstructions."""
        image = tf.image.decode_png(png, channels=3)
        with self._writer(VALIDATION).as_default():
            tf.summary.image("reconstructions", image[None], step=np.int64(epoch))
        self._flush(VALIDATION)

    def end(self) -> None:
        """Writes that the training has ended."""
        with self._writer("").as_default():
            plugins.write_end()
        self._flush("")

    def has_embeddings(self) -> bool:
        """Whether the projector has something to show."""
        return (self.folder / VALIDATION / plugins.PROJECTOR_CONFIG).exists()

    def embeddings(self, model: Reconstructor, curves: LightCurves, most: int) -> None:
        """Writes the embeddings of at most ``most`` light curves for the projector."""
        if self.enabled and most:
            plugins.write_projector(self.folder / VALIDATION, model, curves, most)

    def _scalars(self, name: str, prefix: str, row: Mapping[str, float], step: int) -> None:
        # As NumPy's: TensorFlow keeps a tensor of each Python number until the process ends.
        at = np.int64(step)
        with self._writer(name).as_default():
            for metric, value in row.items():
                tf.summary.scalar(prefix + metric, np.float32(value), step=at)
        self._flush(name)

    def _writer(self, name: str) -> Any:
        if not self.enabled:
            return tf.summary.create_noop_writer()
        if name not in self._writers:
            folder = self.folder / name if name else self.folder
            self._writers[name] = tf.summary.create_file_writer(str(folder))
        return self._writers[name]

    def _flush(self, name: str) -> None:
        if name in self._writers:
            self._writers[name].flush()
