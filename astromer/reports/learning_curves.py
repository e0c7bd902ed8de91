"""The history of a training, epoch by epoch, and plots of its metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from astromer.reports.plot import (
    COLOURS,
    HARMONIC,
    HARMONIC_CURVE,
    INTERPOLATION,
    MEAN,
    Plot,
    make_plot,
)
from astromer.system.html.page import SPLIT_COLOURS, new_figure
from astromer.system.storage import as_path
from astromer.training.report import COURSE
from astromer.training.tensorboard.event_files import LINES, event_files, read_events
from astromer.training.tensorboard.log import EPOCH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OLDER = {"": ""}  # older logs have whole names, in the folder itself


@dataclass(frozen=True)
class TrainingHistory:
    """Metrics by epoch.

    Attributes:
        rows: one for each epoch: "epoch", counted from 0, and its metrics.
        resumed: epochs done, in fractions, when each part but the first began.
        source: where the metrics come from, in words.
    """

    rows: Sequence[Mapping[str, float]] = ()
    resumed: Sequence[float] = ()
    source: str = ""

    def series(self, name: str) -> tuple[list[float], list[float]]:
        """Epochs done and values of a metric, where it is finite."""
        found = [(row["epoch"] + 1, row[name]) for row in self.rows if name in row]
        kept = [(epoch, value) for epoch, value in found if math.isfinite(value)]
        return [epoch for epoch, _ in kept], [value for _, value in kept]

    def names(self) -> list[str]:
        """Metrics, in the order in which they first come."""
        return list(dict.fromkeys(name for row in self.rows for name in row if name != "epoch"))

    def best_epoch(self) -> int | None:
        """Epochs done when the hidden-step RMSE of validation was lowest."""
        epochs, values = self.series("val_hidden_rmse")
        return int(epochs[values.index(min(values))]) if values else None


def read_training_history(metadata: Mapping[str, Any], logs: Path | None) -> TrainingHistory:
    """The history that a model carries, else that of its TensorBoard logs.

    Args:
        metadata: of the model.
        logs: folder of the logs, if there is one.
    """
    course = metadata.get(COURSE)
    if course and course.get("history"):
        # A part that began within an epoch is marked between its neighbours.
        resumed = [epoch + (0.5 if step else 0.0) for epoch, step in course.get("resumed", ())]
        return TrainingHistory(course["history"], resumed, "the model's own record")
    if logs is not None and as_path(logs).is_dir():
        return _from_logs(as_path(logs))
    return TrainingHistory()


def _from_logs(folder: Path) -> TrainingHistory:
    """Each part of a training writes its own file, named by the time."""
    rows: dict[int, dict[str, float]] = {}
    begun: set[float] = set()
    for line, prefix in {**_OLDER, **LINES}.items():
        for file in event_files(folder / line):
            first: int | None = None
            for event in read_events(file):
                for value in event.summary.value:
                    if not value.tag.startswith(EPOCH):
                        continue
                    epoch = event.step - 1
                    first = epoch if first is None else first
                    row = rows.setdefault(epoch, {"epoch": epoch})
                    row[prefix + value.tag[len(EPOCH) :]] = _scalar(value)
            if first is not None:
                begun.add(float(first))
    ordered = [rows[epoch] for epoch in sorted(rows)]
    return TrainingHistory(ordered, sorted(begun)[1:], "the TensorBoard logs")


def _scalar(value: Any) -> float:
    import tensorflow as tf

    if value.HasField("tensor"):
        return float(tf.make_ndarray(value.tensor))
    return float(value.simple_value)


_TRAIN, _VALIDATION = SPLIT_COLOURS["train"], SPLIT_COLOURS["validation"]
_NOT_DRAWN = ("seconds", "val_windows", "val_hidden_steps")
_WIDE = 5.0  # from here on the axis of an error is logarithmic
_LEAST = -1.0  # of R2 and skill; the first epochs may fall far below


class _Line(NamedTuple):
    metric: str
    label: str
    colour: str
    style: str = "-"


class _Panel(NamedTuple):
    name: str
    title: str
    lines: tuple[_Line, ...]
    bounded: bool = False  # R2 and skill: at most 1, and cut off below


_PANELS = (
    _Panel("loss", "training loss [mag]", (_Line("train_loss", "train", _TRAIN),)),
    *(
        _Panel(
            metric,
            f"hidden steps: {title}",
            (
                _Line(f"train_{metric}", "train", _TRAIN),
                _Line(f"val_{metric}", "validation", _VALIDATION),
                _Line(f"val_mean_{metric}", "mean of the window", COLOURS[MEAN], "--"),
                _Line(f"val_interpolation_{metric}", "interpolation", COLOURS[INTERPOLATION], ":"),
                _Line(f"val_harmonic_{metric}", "harmonic fit", COLOURS[HARMONIC], ":"),
                _Line(
                    f"val_harmonic_curve_{metric}",
                    "harmonic fit, whole curve",
                    COLOURS[HARMONIC_CURVE],
                    "-.",
                ),
            ),
            metric.endswith("r2"),
        )
        for metric, title in (("hidden_rmse", "RMSE [mag]"), ("hidden_r2", "R2"))
    ),
    _Panel(
        "other_rmse",
        "validation: other RMSE [mag]",
        (
            _Line("val_hidden_rmse_per_window", "hidden, windows count alike", "#D55E00"),
            _Line("val_probed_rmse", "all probed steps", "#0072B2"),
            _Line("val_probed_rmse_per_window", "probed, windows count alike", "#56B4E9", "--"),
        ),
    ),
    _Panel(
        "skill",
        "validation: skill and probed R2",
        (
            _Line("val_skill_over_mean", "skill over the mean", COLOURS[MEAN]),
            _Line("val_skill_over_interpolation", "skill over interpolation", "#D55E00"),
            _Line("val_skill_over_harmonic", "skill over the harmonic fit", COLOURS[HARMONIC]),
            _Line(
                "val_skill_over_harmonic_curve",
                "skill over that of the whole curve",
                COLOURS[HARMONIC_CURVE],
                "-.",
            ),
            _Line("val_probed_r2", "R2 at all probed steps", "#0072B2", "--"),
        ),
        True,
    ),
)


def draw_learning_curves(history: TrainingHistory) -> list[Plot]:
    """A plot for each group of metrics; those of no group have one each."""
    known = {line.metric for panel in _PANELS for line in panel.lines} | set(_NOT_DRAWN)
    more = [
        _Panel(f"metric_{number}", name, (_Line(name, name, _VALIDATION),))
        for number, name in enumerate(sorted(set(history.names()) - known))
    ]
    return [
        _draw(panel, lines, history)
        for panel in (*_PANELS, *more)
        if (lines := [line for line in panel.lines if history.series(line.metric)[0]])
    ]


def _draw(panel: _Panel, lines: Sequence[_Line], history: TrainingHistory) -> Plot:
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_figure(4.2, 2.8)
    lowest, highest, ends = math.inf, -math.inf, []
    for line in lines:
        epochs, values = history.series(line.metric)
        lowest, highest = min(lowest, *values), max(highest, *values)
        ends.append(values[-1])
        marker = "." if len(epochs) < 20 else ""
        axes.plot(epochs, values, line.style, marker=marker, color=line.colour, label=line.label)
    cut = panel.bounded and lowest < _LEAST <= min(ends)
    if cut:
        axes.set_ylim(_LEAST, 1.02)
    elif not panel.bounded and lowest > 0 and highest > _WIDE * lowest:
        _logarithmic(axes)
    best = history.best_epoch()
    if best is not None:
        axes.axvline(best, color="#2a7d46", linewidth=0.9, label="epoch of the model")
    for number, epoch in enumerate(history.resumed):
        label = None if number else "resumed"
        axes.axvline(epoch + 0.5, color="#777777", linewidth=0.9, linestyle="-.", label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel(panel.title, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.legend(frameon=False, fontsize=7)
    caption = f"{panel.title[:1].upper()}{panel.title[1:]} after each epoch."
    if cut:
        caption += f" Values below {_LEAST:g} are not shown."
    return make_plot(figure, f"learning_{panel.name}", f"{panel.title} by epoch", caption)


def _logarithmic(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_ylim()
    axes.set_yscale("log")
    if high / max(low, 1e-9) < 30:
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
