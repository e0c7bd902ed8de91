"""A plot: a part of the page, and a file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from astromer.evaluation import baselines
from astromer.system.html.page import data_address, to_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL, MEAN, INTERPOLATION = "model", "mean", "interpolation"
COLOURS = {MODEL: "#0072B2", MEAN: "#999999", INTERPOLATION: "#D55E00"}
"""Told apart with any colour vision."""
TITLES = {MODEL: "this model", **baselines.TITLES}


class Plot(NamedTuple):
    """A drawn figure.

    Attributes:
        name: of its file, without ending.
        content: the PNG.
        description: what it shows, for those who do not see it.
        caption: what is measured.
    """

    name: str
    content: bytes
    description: str
    caption: str

    @property
    def source(self) -> str:
        """The "data:" address that holds it."""
        return data_address(self.content, "png")


def make_plot(figure: Figure, name: str, description: str, caption: str) -> Plot:
    """Draws a figure."""
    return Plot(name, to_bytes(figure, "png"), description, caption)
