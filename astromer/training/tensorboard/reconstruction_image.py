"""A picture of reconstructed windows: what the network saw, what was hidden, what it made of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

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
