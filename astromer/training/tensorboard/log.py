"""The TensorBoard log of a training: event files, one folder for each line of its charts.

``train/`` and ``validation/`` have the same tags, so that both are in one chart; ``mean/`` and
``interpolation/`` are the baselines in those charts. Hyperparameters are in the folder itself, as
are the embedding projector and pictures of validation windows: what the network saw, what was
hidden, what it predicts.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.config import EncoderConfig
from astromer.encoder.folding import prepare
from astromer.encoder.inference import Predictor
from astromer.encoder.pooling import MEAN, CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.system.config import to_dict
from astromer.system.storage import as_path
from astromer.system.text import shortened
from astromer.training.config import TensorBoardConfig, TrainingConfig
from astromer.training.tensorboard.event_files import (
    LINES,
    TRAIN_RUN,
    VALIDATION_RUN,
    remove_events,
)
from astromer.windows.batches import Batch, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, mask_seed

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
        remove_events(self.folder, lambda tag, _: not tag.startswith(HPARAMS_TAGS))
        for name in LINES:
            folder = self.folder / name
            remove_events(folder, lambda tag, at: at <= (step if tag.startswith(_STEP) else epoch))

    def hyperparameters(self, configs: Sequence[Any], name: str) -> None:
        """Writes the hyperparameters of the run called ``name``."""
        with self._writer("").as_default():
            write_hyperparameters(configs, name, VALIDATION_RUN)
        self._flush("")

    def step(self, row: Mapping[str, float], step: int) -> None:
        """Writes an epoch's metrics so far, after so many steps."""
        self._scalars(TRAIN_RUN, _STEP, row, step)

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
            found[VALIDATION_RUN].pop(name, None)
        found[TRAIN_RUN] |= more
        for name, values in found.items():
            self._scalars(name, EPOCH, values, epoch)

    def picture(self, png: bytes, epoch: int) -> None:
        """Writes a picture of reconstructions."""
        image = tf.image.decode_png(png, channels=3)
        with self._writer(VALIDATION_RUN).as_default():
            tf.summary.image("reconstructions", image[None], step=np.int64(epoch))
        self._flush(VALIDATION_RUN)

    def end(self) -> None:
        """Writes that the training has ended."""
        with self._writer("").as_default():
            write_end()
        self._flush("")

    def has_embeddings(self) -> bool:
        """Whether the projector has something to show."""
        return (self.folder / VALIDATION_RUN / PROJECTOR_CONFIG).exists()

    def embeddings(self, model: Reconstructor, curves: LightCurves, most: int) -> None:
        """Writes the embeddings of at most ``most`` light curves for the projector."""
        if self.enabled and most:
            write_projector(self.folder / VALIDATION_RUN, model, curves, most)

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


_WIDTH, _HEIGHT, _DPI = 4.6, 2.3, 100  # inches of a panel
_SEEN = {"label": "seen", "color": "0.35", "markersize": 3}
_HIDDEN = {"label": "hidden", "color": "tab:blue", "markersize": 4, "markerfacecolor": "none"}
_PREDICTED = {"label": "predicted", "color": "tab:orange", "markersize": 5}


class WatchedCurves:
    """The first windows of a few light curves, with the same steps hidden at every epoch.

    Args:
        curves: the validation light curves.
        count: how many are watched: of each class the longest, of the commonest class first.
        model: decides on windows and inputs.
        masking, seed: of the masks.
    """

    def __init__(
        self,
        curves: LightCurves,
        count: int,
        *,
        model: Reconstructor,
        masking: MaskingConfig,
        seed: int,
    ):
        self._curves = curves.take(np.array(_choose(curves, count), np.int64))
        window_size = model.window_size
        windows = sequential_windows(self._curves.offsets, window_size)
        _, first = np.unique(windows.curve, return_index=True)
        windows = windows[first]
        probing = draw(windows.length, window_size, masking, seed=mask_seed(seed), first=0)
        self.batch: Batch = prepare(model, self._curves, windows, probing)
        self._figure: Any = None

    def draw(self, predict: Callable[[Batch], np.ndarray]) -> bytes:
        """A PNG image with a panel for each window, in two columns. Needs matplotlib."""
        predicted = predict(self.batch)
        columns = min(len(self.batch), 2)
        rows = -(-len(self.batch) // columns)
        figure = self._cleared_figure((_WIDTH * columns, _HEIGHT * rows + 0.3))
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for row, axis in enumerate(axes):
            if row < len(self.batch):
                self._draw_window(axis, row, predicted[row])
            else:
                axis.set_axis_off()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9
        )
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        return picture.getvalue()

    def _cleared_figure(self, inches: tuple[float, float]) -> Any:
        """One figure for all epochs: Matplotlib caches the sizes of each figure's texts."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        if self._figure is None:
            self._figure = Figure(inches, _DPI, layout="constrained")
            FigureCanvasAgg(self._figure)
        self._figure.clear()
        self._figure.set_size_inches(inches)
        return self._figure

    def _draw_window(self, axis: Any, row: int, predicted: np.ndarray) -> None:
        batch, curve = self.batch, int(self.batch.curve[row])
        observed = batch.probing.observed[row]
        hidden = batch.probing.hidden[row][observed]
        days, errmag = batch.times[row][observed], batch.errmag[row][observed]
        mag, predicted = (
            (values * batch.scale[row] + batch.centre[row])[observed]
            for values in (batch.target[row], predicted)
        )
        for chosen, style in ((~hidden, _SEEN), (hidden, _HIDDEN)):
            axis.errorbar(
                days[chosen], mag[chosen], errmag[chosen], fmt="o", elinewidth=0.6, **style
            )
        axis.plot(days[hidden], predicted[hidden], "x", **_PREDICTED)
        axis.invert_yaxis()
        name = shortened(str(self._curves.ids[curve]), 24)
        kind = shortened(str(self._curves.class_names[curve]), 16)
        rmse = np.sqrt(np.mean((mag - predicted)[hidden] ** 2)) if hidden.any() else np.nan
        title = f"{name}{f' ({kind})' if kind else ''}: RMSE {rmse:.3f} mag"
        axis.set_title(title, fontsize=9, parse_math=False)
        axis.set_xlabel("days", fontsize=8)
        axis.set_ylabel("magnitude", fontsize=8)
        axis.tick_params(labelsize=7)


def _choose(curves: LightCurves, count: int) -> list[int]:
    """Positions: the longest of each class, then the second longest of each, and so on."""
    names, number = np.unique(curves.class_names, return_counts=True)
    longest = np.argsort(-curves.lengths, kind="stable")
    queues = [
        longest[curves.class_names[longest] == name]
        for name in names[np.argsort(-number, kind="stable")]
    ]
    turns = [queue[turn] for turn in range(count) for queue in queues if turn < len(queue)]
    return [int(position) for position in turns[:count]]


PROJECTOR_CONFIG = "projector_config.pbtxt"
"""The projector's file that names the others."""
HPARAMS_TAGS = "_hparams_/"
"""Prefix of the tags of hyperparameters, whose values are at step 0."""

_VECTORS, _METADATA = "embeddings.tsv", "embeddings_metadata.tsv"
_WITHOUT_EFFECT = {"checkpoint_seconds", "debug", "log_every", "windows_per_pass", "worker_seconds"}
_METRICS = {
    "epoch/hidden_rmse": "validation: hidden RMSE [mag]",
    "epoch/hidden_r2": "validation: hidden R2",
    "epoch/skill_over_interpolation": "validation: skill over interpolation",
}


def write_projector(folder: Path, model: Reconstructor, curves: LightCurves, most: int) -> None:
    """Embeds light curves and writes the projector's files; the config, which names them, last.

    Args:
        folder: of a run in TensorBoard: it must have event files, too.
        model: its encoder embeds.
        curves: evenly spaced ones are taken where there are more than ``most``.
        most: how many.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector import ProjectorConfig

    count = min(most, len(curves))
    taken = curves.take(np.linspace(0, len(curves) - 1, count).round().astype(np.int64))
    vectors = CurveEncoder(model, MEAN)(taken, desc="embedding for TensorBoard", progress=True)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(f"{value:.5g}" for value in vector) for vector in vectors[:, 0])
    (folder / _VECTORS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / _METADATA).write_text(_metadata_table(taken), encoding="utf-8")
    config = ProjectorConfig()
    config.embeddings.add(
        tensor_name="validation light curves", tensor_path=_VECTORS, metadata_path=_METADATA
    )
    (folder / PROJECTOR_CONFIG).write_text(text_format.MessageToString(config), encoding="utf-8")


def _metadata_table(curves: LightCurves) -> str:
    """A line for each light curve; a dash for what is missing."""
    lines = ["class\tid\tobservations\tmean magnitude"]
    for index in range(len(curves)):
        curve = curves[index]
        kind, name = (shortened(text) or "-" for text in (curve.class_name, curve.id))
        mean = float(np.mean(curve.mag, dtype=np.float64)) if len(curve) else float("nan")
        lines.append(f"{kind}\t{name}\t{len(curve)}\t{mean:.3f}")
    return "\n".join(lines) + "\n"


def write_hyperparameters(configs: Sequence[Any], name: str, validation: str) -> None:
    """Writes the values, and which metrics are shown with them, to the current writer.

    Args:
        configs: config dataclasses whose fields have different names.
        name: of the training.
        validation: folder of the validation metrics, relative to the writer's.
    """
    from tensorboard.plugins.hparams import api

    values = {knob: value for config in configs for knob, value in to_dict(config).items()}
    values = {knob: value for knob, value in values.items() if knob not in _WITHOUT_EFFECT}
    metrics = [
        api.Metric(tag, group=validation, display_name=title) for tag, title in _METRICS.items()
    ]
    api.hparams_config(hparams=[api.HParam(knob) for knob in values], metrics=metrics)
    api.hparams(values, trial_id=name)


def write_end() -> None:
    """Writes to the current writer that the training has ended."""
    from tensorboard.plugins.hparams import api_pb2, summary

    ended = summary.session_end_pb(api_pb2.STATUS_SUCCESS)
    tf.summary.experimental.write_raw_pb(ended.SerializeToString(), step=0)
