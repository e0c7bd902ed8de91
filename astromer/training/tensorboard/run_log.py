"""A training as TensorBoard sees it: event files beside each other, one folder for each line.

``train/`` and ``validation/`` have the same tags, so that both are in one chart; ``mean/`` and
``interpolation/`` are the baselines in those charts. Hyperparameters stand in the
folder itself.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.system.storage import as_path
from astromer.training.tensorboard import hyperparameters
from astromer.training.tensorboard.event_files import cut_back
from astromer.training.tensorboard.pictures import WatchedCurves
from astromer.training.tensorboard.projector import CONFIG_FILE, write_projector
from astromer.training.tensorboard.reconstruction_image import ReconstructionImage

TRAIN, VALIDATION = "train", "validation"
LINES = {
    TRAIN: "train_",
    VALIDATION: "val_",
    "mean": "val_mean_",
    "interpolation": "val_interpolation_",
}
"""The folder of each line, and what the names of its metrics begin with in a training's history."""

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

        cut_back(self.folder, lambda tag, _: not tag.startswith(hyperparameters.TAGS))
        for name in LINES:
            cut_back(self.folder / name, keep)

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
