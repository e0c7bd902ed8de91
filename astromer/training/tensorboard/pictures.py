"""Pictures of validation windows: what the network saw, what was hidden, what it predicts."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from astromer.encoder.folding import prepare
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
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
