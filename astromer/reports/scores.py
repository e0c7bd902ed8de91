"""Scores of a run: by epoch and step of its training, and at hidden steps by groups of these."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from astromer.reports.plot import (
    COLOURS,
    HARMONIC,
    HARMONIC_CURVE,
    INTERPOLATION,
    SHORT_TITLES,
    THIS_MODEL,
    WINDOW_MEAN,
    Plot,
    make_plot,
)
from astromer.reports.reconstructed_windows import WindowReconstruction
from astromer.system.html.page import SPLIT_COLOURS, label, new_figure
from astromer.system.storage import as_path
from astromer.system.text import other_classes
from astromer.training.report import COURSE
from astromer.training.tensorboard.event_files import LINES, event_files, read_events
from astromer.training.tensorboard.log import EPOCH
from astromer.validation.profile import NO_NAME
from astromer.windows.batches import Batch

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
                _Line(f"val_mean_{metric}", "mean of the window", COLOURS[WINDOW_MEAN], "--"),
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
            _Line("val_skill_over_mean", "skill over the mean", COLOURS[WINDOW_MEAN]),
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


_LENGTHS = (0, 20, 50, 100, 200, 400, 1000, 2000, np.inf)
_DAYS = (0, 0.05, 0.5, 1.5, 3, 7, 15, 40, 120, np.inf)
_MOST_CLASSES = 24
_MARKERS = {"model": "o", "mean": "s", "interpolation": "D", "harmonic": "^", "harmonic_curve": "v"}


@dataclass(frozen=True)
class GroupScores:
    """Scores of some hidden steps.

    Attributes:
        name: of the group.
        windows, steps: how many windows they lie in, and how many they are.
        rmse: by "model" and the names of the baselines [mag].
    """

    name: str
    windows: int
    steps: int
    rmse: dict[str, float]

    @property
    def best_baseline(self) -> str:
        """The baseline with the smallest error."""
        return min(set(self.rmse) - {THIS_MODEL}, key=lambda name: (self.rmse[name], name))

    def skill_over(self, baseline: str) -> float:
        """1 - (RMSE / baseline's RMSE)^2; NaN where the baseline makes no error."""
        error = self.rmse[baseline]
        return 1 - (self.rmse[THIS_MODEL] / error) ** 2 if error > 0 else float("nan")


class HiddenSteps:
    """All hidden steps of a reconstruction, one after the other.

    Args:
        reconstruction: of a sample of windows.
    """

    def __init__(self, reconstruction: WindowReconstruction) -> None:
        batch, hidden = reconstruction.batch, reconstruction.sample.probing.hidden
        self._window, _ = np.nonzero(hidden)
        scale = batch.scale[:, None].astype(np.float64)
        self._error = {
            name: (((batch.target - found) * scale) ** 2)[hidden]
            for name, found in reconstruction.predicted.items()
        }
        curve = batch.curve[self._window]
        self._length = reconstruction.curves.lengths[curve]
        self._days = days_to_nearest_visible(batch)[hidden]
        names = reconstruction.curves.class_names[curve]
        self._class = np.where(names == "", NO_NAME, names)

    def all(self) -> list[GroupScores]:
        """One row, or none where nothing is hidden."""
        every = np.ones(len(self._window), bool)
        return [self._scores("all", every)] if len(every) else []

    def by_length(self) -> list[GroupScores]:
        """By observations of the whole light curve."""
        return list(self._by_range(self._length, _LENGTHS, whole=True))

    def by_gap(self) -> list[GroupScores]:
        """By days to the nearest visible step of the window."""
        return list(self._by_range(self._days, _DAYS))

    def by_class(self) -> list[GroupScores]:
        """By class, that with the most hidden steps first; the rarest of many are joined."""
        counts = Counter(self._class.tolist())
        names = [name for name, _ in counts.most_common(_MOST_CLASSES)]
        if names == [NO_NAME]:
            return []
        rows = [self._scores(name, self._class == name) for name in names]
        others = ~np.isin(self._class, names)
        if others.any():
            rows.append(self._scores(other_classes(counts.keys() - set(names)), others))
        return rows

    def _by_range(
        self, values: np.ndarray, edges: Sequence[float], whole: bool = False
    ) -> Iterator[GroupScores]:
        for low, high in pairwise(edges):
            chosen = (values >= low) & (values < high)
            if high == np.inf:
                chosen |= values == np.inf
                name = f"{low:g} and more"
            else:
                name = f"{low:g} to {high - 1:g}" if whole else f"{low:g} to {high:g}"
            if chosen.any():
                yield self._scores(name, chosen)

    def _scores(self, name: str, chosen: np.ndarray) -> GroupScores:
        windows = len(np.unique(self._window[chosen]))
        rmse = {key: float(np.sqrt(error[chosen].mean())) for key, error in self._error.items()}
        return GroupScores(name, windows, int(np.count_nonzero(chosen)), rmse)


def days_to_nearest_visible(batch: Batch) -> np.ndarray:
    """float64 [num_windows, window_size], days from each step to the nearest visible one.

    0 at visible steps; infinite where nothing is visible.
    """
    visible, times = batch.probing.visible, batch.times.astype(np.float64)
    last = np.maximum.accumulate(np.where(visible, times, -np.inf), axis=1)
    following = np.where(visible, times, np.inf)
    following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(times - last, following - times)


def draw_skill(rows: Sequence[GroupScores], name: str, by: str) -> Plot:
    """A mark for the model and each baseline in every group.

    Args:
        rows: the groups.
        name: of the plot's file.
        by: what the groups differ in, with its unit.
    """
    figure, axes = new_figure(4.2, 1.4 + 0.24 * len(rows))
    y = np.arange(len(rows))
    for key, title in SHORT_TITLES.items():
        axes.plot(
            [row.rmse[key] for row in rows],
            y,
            _MARKERS[key],
            color=COLOURS[key],
            label=title,
            markersize=5,
            fillstyle="full" if key == THIS_MODEL else "none",
        )
    for number, row in enumerate(rows):
        ends = [min(row.rmse.values()), max(row.rmse.values())]
        axes.plot(ends, [number, number], color="#cccccc", linewidth=0.8, zorder=0)
    axes.set_yticks(y)
    axes.set_yticklabels([f"{label(row.name)} ({row.steps:,})" for row in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("RMSE at hidden steps [mag]")
    axes.set_title(by, fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=7)
    return make_plot(
        figure,
        f"skill_{name}",
        f"RMSE at hidden steps by {by}, of the model and the baselines",
        f"Error at hidden steps by {by}; in brackets, how many hidden steps.",
    )
