"""RMSE at hidden steps beside the baselines, by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from astromer.reports.plot import COLOURS, TITLES, Plot, make_plot
from astromer.reports.skill import Row
from astromer.system.html.page import label, new_figure

_MARKERS = {"model": "o", "mean": "s", "interpolation": "D"}


def draw_skill(rows: Sequence[Row], name: str, by: str) -> Plot:
    """A mark for the model and each baseline in every group.

    Args:
        rows: the groups.
        name: of the plot's file.
        by: what the groups differ in, with its unit.
    """
    figure, axes = new_figure(4.2, 1.4 + 0.24 * len(rows))
    place = np.arange(len(rows))
    for key, title in TITLES.items():
        values = [row.rmse[key] for row in rows]
        axes.plot(
            values,
            place,
            _MARKERS[key],
            color=COLOURS[key],
            label=title,
            markersize=5,
            fillstyle="full" if key == "model" else "none",
        )
    for row, y in zip(rows, place):
        low, high = min(row.rmse.values()), max(row.rmse.values())
        axes.plot([low, high], [y, y], color="#cccccc", linewidth=0.8, zorder=0)
    axes.set_yticks(place)
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
        f"RMSE at hidden steps by {by}, of the model and two baselines",
        f"Error at hidden steps by {by}; in brackets, how many hidden steps.",
    )
