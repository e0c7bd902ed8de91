"""Every metric of the training, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from astromer.reports.history import History
from astromer.reports.plot import COLOURS, INTERPOLATION, MEAN, Plot, make_plot
from astromer.system.html.page import SPLIT_COLOURS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


_BASE = {"hidden_rmse": "RMSE [mag]", "hidden_r2": "R2"}
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
            ),
            metric.endswith("r2"),
        )
        for metric, title in _BASE.items()
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
            _Line("val_probed_r2", "R2 at all probed steps", "#0072B2", "--"),
        ),
        True,
    ),
)


def draw_learning_curves(history: History) -> list[Plot]:
    """A plot for each group of metrics; those of no group have one each."""
    known = {line.metric for panel in _PANELS for line in panel.lines} | set(_NOT_DRAWN)
    more = [
        _Panel(f"metric_{number}", name, (_Line(name, name, _VALIDATION),))
        for number, name in enumerate(sorted(set(history.names()) - known))
    ]
    panels = [_with_values(panel, history) for panel in (*_PANELS, *more)]
    return [_draw(panel, history) for panel in panels if panel.lines]


def _with_values(panel: _Panel, history: History) -> _Panel:
    lines = tuple(line for line in panel.lines if history.series(line.metric)[0])
    return panel._replace(lines=lines)


def _draw(panel: _Panel, history: History) -> Plot:
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_figure(4.2, 2.8)
    lowest, highest = np.inf, -np.inf
    for line in panel.lines:
        epochs, values = history.series(line.metric)
        lowest, highest = min(lowest, *values), max(highest, *values)
        marker = "." if len(epochs) < 20 else ""
        axes.plot(epochs, values, line.style, marker=marker, color=line.colour, label=line.label)
    ends = [history.series(line.metric)[1][-1] for line in panel.lines]
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
