"""What the report of a run shows."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob


@dataclass(frozen=True)
class ReportConfig(Config):
    """What the page about a run shows."""

    scored_windows: int = knob(
        300,
        "windows of the test split, drawn at random, that are reconstructed for the page; bounds "
        "its cost",
        "--report-windows",
        bounds="[1, inf)",
    )
    mapped_curves: int = knob(
        250,
        "light curves of the test split, drawn at random, on the map of embeddings",
        "--report-curves",
        bounds="[1, inf)",
    )
    plotted_classes: int = knob(
        6,
        "classes, the commonest first, of which a reconstructed window is plotted",
        "--report-classes",
        bounds="[0, inf)",
    )
    embedding_map: str = knob(
        "pca",
        "how embeddings are brought to a plane: pca keeps distances, tsne shows groups and takes "
        "seconds longer",
        "--report-map",
        choices=("pca", "tsne"),
    )
    draw_seed: int = knob(0, "seed of what is drawn at random for the page", bounds="[0, inf)")
