"""Parts of the page that may fail without taking the rest with them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from astromer.reports.plot import Plot
from astromer.system.environment import MissingExtraError
from astromer.system.text import brief

_LOG = logging.getLogger(__name__)


class Sections:
    """Draws the parts one by one and remembers what went wrong.

    Attributes:
        problems: a line for each part that could not be drawn.
        plots: all plots so far, in their order.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.plots: list[Plot] = []

    def compute(self, title: str, make: Callable[[], Any], otherwise: Any) -> Any:
        """What ``make`` gives, or ``otherwise`` where it fails.

        A part that cannot be drawn is told on the page and in the run; it is no reason to lose
        the others, or a model that has been trained.

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
