"""What TensorBoard's plugins show of a training: pictures, the embedding projector and settings.

Pictures are of validation windows: what the network saw, what was hidden, what it predicts.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.folding import prepare
from astromer.encoder.pooling import MEAN, CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.system.config import to_dict
from astromer.system.text import shortened
from astromer.windows.batches import Batch, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, mask_seed

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
