"""Confusion matrices as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from astromer.system.html.figure import label, to_bytes


def plot_confusion(confusion: np.ndarray, names: Sequence[str], title: str, file: Path) -> None:
    """Draws the share of each true class that was given each answer.

    Args:
        confusion: counts [num_classes, num_classes], a row for each true class; may be sums over
            seeds.
        names: of the classes.
        title: above the picture.
        file: PNG to write.
    """
    from matplotlib.figure import Figure

    total = confusion.sum(axis=1, keepdims=True)
    share = confusion / np.maximum(total, 1)
    size = 2.5 + 0.55 * len(names)
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = np.arange(len(names))
    names = [label(name) for name in names]
    axes.set_xticks(ticks, names, parse_math=False, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, names, parse_math=False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(title, fontsize="medium")
    for row in ticks:
        for column in ticks:
            if share[row, column] >= 0.005:
                colour = "white" if share[row, column] > 0.5 else "black"
                text = f"{share[row, column]:.2f}"
                axes.text(column, row, text, ha="center", va="center", color=colour, size="small")
    figure.colorbar(image, label="share of the true class")
    file.write_bytes(to_bytes(figure, "png"))
