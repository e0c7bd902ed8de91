"""Windows of validation light curves that are drawn again and again as training goes on."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from astromer.light_curves import LightCurves
from astromer.system.text import shortened
from astromer.windows.batches import Batch, assemble, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, mask_seed

_WIDTH, _HEIGHT, _DPI = 4.6, 2.3, 100  # inches of a panel
_SEEN, _HIDDEN, _PREDICTED = "0.35", "tab:blue", "tab:orange"


@dataclass(frozen=True)
class Panel:
    """One window. Arrays are [num_observed].

    Attributes:
        title: whose it is.
        days: times since the window's mean time [days].
        mag, errmag: what was observed [mag].
        hidden: bool, whether the network saw no magnitude there.
        predicted: what it says [mag]; drawn at the hidden steps.
    """

    title: str
    days: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    hidden: np.ndarray
    predicted: np.ndarray


class ReconstructionImage:
    """A picture that is drawn again and again. Needs matplotlib.

    In one figure: Matplotlib keeps the sizes of each figure's texts, thousands of them.
    """

    def __init__(self) -> None:
        self._figure: Any = None

    def draw(self, panels: list[Panel]) -> bytes:
        """A PNG image with a panel for each window, two beside each other."""
        columns = min(len(panels), 2)
        rows = -(-len(panels) // columns)
        figure = self._cleared((_WIDTH * columns, _HEIGHT * rows + 0.3))
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, axis in zip(panels, axes):
            _draw(panel, axis)
        for axis in axes[len(panels) :]:
            axis.set_axis_off()
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=3,
            frameon=False,
            fontsize=9,
        )
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
        return picture.getvalue()

    def _cleared(self, inches: tuple[float, float]) -> Any:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        if self._figure is None:
            self._figure = Figure(inches, _DPI, layout="constrained")
            FigureCanvasAgg(self._figure)
        self._figure.clear()
        self._figure.set_size_inches(inches)
        return self._figure


def _draw(panel: Panel, axis) -> None:  # type: ignore[no-untyped-def]
    seen, hidden = ~panel.hidden, panel.hidden
    for chosen, label, style in (
        (seen, "seen", {"color": _SEEN, "markersize": 3}),
        (hidden, "hidden", {"color": _HIDDEN, "markersize": 4, "markerfacecolor": "none"}),
    ):
        axis.errorbar(
            panel.days[chosen],
            panel.mag[chosen],
            panel.errmag[chosen],
            fmt="o",
            elinewidth=0.6,
            label=label,
            **style,
        )
    axis.plot(
        panel.days[hidden],
        panel.predicted[hidden],
        "x",
        color=_PREDICTED,
        markersize=5,
        label="predicted",
    )
    axis.invert_yaxis()
    axis.set_title(panel.title, fontsize=9, parse_math=False)
    axis.set_xlabel("days", fontsize=8)
    axis.set_ylabel("magnitude", fontsize=8)
    axis.tick_params(labelsize=7)


class WatchedCurves:
    """The first windows of a few light curves, with the same steps hidden at every epoch.

    Args:
        curves: the validation light curves.
        count: how many are watched: of each class the longest, of the commonest class first.
        window_size, normalise: of the model.
        masking, seed: what is hidden.
    """

    def __init__(
        self,
        curves: LightCurves,
        count: int,
        *,
        window_size: int,
        normalise: bool,
        masking: MaskingConfig,
        seed: int,
    ):
        self._curves = curves.take(np.array(_choose(curves, count), np.int64))
        windows = sequential_windows(self._curves.offsets, window_size)
        _, first = np.unique(windows.curve, return_index=True)
        windows = windows[first]
        probing = draw(windows.length, window_size, masking, seed=mask_seed(seed), first=0)
        self.batch: Batch = assemble(self._curves, windows, probing, normalise=normalise)

    def panels(self, predict: Callable[[Batch], np.ndarray]) -> list[Panel]:
        """The windows with what the network says of them now."""
        return list(self._panels(predict(self.batch)))

    def _panels(self, predicted: np.ndarray) -> Iterator[Panel]:
        batch = self.batch
        for row, curve in enumerate(batch.curve.tolist()):
            observed = batch.probing.observed[row]
            hidden = batch.probing.hidden[row][observed]
            mag, says = (
                (values[row] * batch.scale[row] + batch.centre[row])[observed]
                for values in (batch.target, predicted)
            )
            name = shortened(str(self._curves.ids[curve]), 24)
            kind = shortened(str(self._curves.class_names[curve]), 16)
            rmse = np.sqrt(np.mean((mag - says)[hidden] ** 2)) if hidden.any() else np.nan
            title = f"{name}{f' ({kind})' if kind else ''}: RMSE {rmse:.3f} mag"
            yield Panel(
                title, batch.times[row][observed], mag, batch.errmag[row][observed], hidden, says
            )


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
