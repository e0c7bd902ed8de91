"""What the accepted light curves of each split are like, in histograms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from astromer.system.html.figure import SPLIT_COLOURS, Picture, new_figure, to_picture
from astromer.validation.profile import SplitProfile
from astromer.validation.quantities import QUANTITIES, Quantity

_SHOWN = 0.9995
_STYLES = {"train": "-", "validation": "--", "test": ":"}


def draw_distributions(profiles: Mapping[str, SplitProfile]) -> list[Picture]:
    """One histogram for each quantity that has values."""
    return [
        _draw(quantity, profiles)
        for quantity in QUANTITIES
        if any(profile.histograms[quantity.name].sum() for profile in profiles.values())
    ]


def _draw(quantity: Quantity, profiles: Mapping[str, SplitProfile]) -> Picture:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    counts = {split: profile.histograms[quantity.name] for split, profile in profiles.items()}
    bins = _bins(np.sum(list(counts.values()), axis=0), min(p.curves for p in profiles.values()))
    edges = quantity.edges[bins]
    figure, axes = new_figure(4.4, 3.0)
    for split, of_split in counts.items():
        reached = np.concatenate([[0], np.cumsum(of_split[1:-1])])
        shares = np.diff(reached[bins]) / max(of_split.sum(), 1)
        axes.stairs(
            100 * shares,
            edges,
            color=SPLIT_COLOURS.get(split),
            linestyle=_STYLES.get(split, "-"),
            linewidth=1.6,
            label=split,
            fill=False,
        )
        if split == "train":
            axes.stairs(100 * shares, edges, color=SPLIT_COLOURS[split], alpha=0.15, fill=True)
    if quantity.log:
        axes.set_xscale("log")
        if edges[-1] / edges[0] < 8:
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            axes.xaxis.set_minor_locator(NullLocator())
        elif edges[-1] / edges[0] < 60:
            axes.xaxis.set_minor_formatter(FuncFormatter(_sparse_log))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.ticklabel_format(axis="x", useOffset=False, style="plain")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    unit = f" [{quantity.unit}]" if quantity.unit else ""
    axes.set_xlabel(f"{quantity.title}{unit}")
    axes.set_ylabel("% of light curves" if quantity.of_curves else "% of observations")
    axes.legend(frameon=False, fontsize=8)
    return to_picture(figure, f"Histogram of {quantity.title} for each split")


def _bins(counts: np.ndarray, curves: int) -> np.ndarray:
    """int64, indices of the edges to draw: the filled range, in bins fit for so few curves."""
    inside = counts[1:-1]
    reached = np.cumsum(inside) / max(inside.sum(), 1)
    low = int(np.searchsorted(reached, 1 - _SHOWN))
    high = int(np.searchsorted(reached, _SHOWN)) + 1
    low, high = max(low - 1, 0), min(high + 1, len(inside))
    wanted = int(np.clip(3 * np.cbrt(max(curves, 1)), 6, 60))
    step = max(1, -(-(high - low) // wanted))
    return np.minimum(np.arange(low, high + step, step), len(inside))


def _sparse_log(value: float, position: int | None) -> str:
    """Labels at 2 and 5 times the powers of ten."""
    leading = value / 10 ** np.floor(np.log10(value) + 1e-9)
    return f"{value:g}" if round(leading) in (2, 5) else ""
