"""Plots of the run report, and its parts, which may fail one by one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.system.environment import MissingExtraError
from astromer.system.html.page import data_address, to_bytes
from astromer.system.text import brief

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THIS_MODEL, WINDOW_MEAN, INTERPOLATION = "model", "mean", "interpolation"
HARMONIC, HARMONIC_CURVE = "harmonic", "harmonic_curve"
COLOURS = {
    THIS_MODEL: "#0072B2",
    WINDOW_MEAN: "#999999",
    INTERPOLATION: "#D55E00",
    HARMONIC: "#009E73",
    HARMONIC_CURVE: "#CC79A7",
}
"""Distinct with any colour vision."""
TITLES = {THIS_MODEL: "this model", **BASELINE_TITLES}
SHORT_TITLES = {
    THIS_MODEL: "this model",
    WINDOW_MEAN: "mean",
    INTERPOLATION: "interpolation",
    HARMONIC: "harmonic, window",
    HARMONIC_CURVE: "harmonic, curve",
}
"""For legends and narrow columns."""
_LOG = logging.getLogger(__name__)


class Plot(NamedTuple):
    """A drawn figure: a part of the page, and a file beside it.

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


class ReportParts:
    """Makes the parts of a page one by one and collects plots and errors.

    Attributes:
        problems: a line for each part that could not be drawn.
        plots: all plots so far, in their order.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.plots: list[Plot] = []

    def compute(self, title: str, make: Callable[[], Any], otherwise: Any) -> Any:
        """The result of ``make``, or ``otherwise`` where it fails.

        A part that cannot be drawn is reported on the page and in the run; the other parts, and
        a model that has been trained, are not lost.

        Raises:
            MissingExtraError: a library is not installed: nothing can be drawn.
        """
        try:
            return make()
        except MissingExtraError:
            raise
        except Exception as error:
            _LOG.warning("%s could not be drawn", title, exc_info=True)
            self.problems.append(
                f"{title} could not be drawn ({type(error).__name__}: {brief(error)})."
            )
            return otherwise

    def draw(self, title: str, make: Callable[[], Sequence[Plot]]) -> list[Plot]:
        """Plots of a part; none where it fails."""
        plots = list(self.compute(title, make, ()))
        self.plots += plots
        return plots
