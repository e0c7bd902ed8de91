"""HTML pages of one file, and figures as parts of them."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from astromer.system.environment import require
from astromer.system.text import printable, shell_word, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_page(template: Path, content: Mapping[str, Any], file: Path) -> Path:
    """Writes the page that a template describes: one file, with all that it needs in it.

    Everything that is filled in is escaped, but for what a template marks as safe. A template may
    extend ``base.html`` of this folder.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    require("plots", "matplotlib", "jinja2")
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable
    environment.filters["shortened"] = shortened
    environment.filters["shell_word"] = shell_word
    page = environment.get_template(template.name).render(content)
    file.write_text(page, encoding="utf-8", errors="backslashreplace")
    return file


SPLIT_COLOURS = {"train": "#0072B2", "validation": "#D55E00", "test": "#009E73"}
"""Distinct with any colour vision."""
WRONG = "#C1121F"
_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "astromer",
}


class Picture(NamedTuple):
    """An image for a page.

    Attributes:
        source: "data:" address that holds it.
        description: what it shows, for those who do not see it.
    """

    source: str
    description: str


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure, in inches. It belongs to no display and leaves no state behind."""
    figure, (axes,) = new_panels(width, height, 1)
    return figure, axes


def new_panels(
    width: float, height: float, rows: int, columns: int = 1, **shared: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of several panels, row by row; ``shared`` is for ``Figure.subplots``."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, list(figure.subplots(rows, columns, squeeze=False, **shared).flat)


def to_picture(figure: Figure, description: str, kind: str = "svg") -> Picture:
    """Draws a figure: "svg" for few marks, "png" for many. Equal figures give equal bytes."""
    return Picture(data_address(to_bytes(figure, kind), kind), description)


def to_bytes(figure: Figure, kind: str) -> bytes:
    """The file of a figure, "svg" or "png"."""
    import matplotlib

    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the font lacks
        figure.savefig(buffer, format=kind, dpi=150, metadata=metadata)
    return buffer.getvalue()


def data_address(content: bytes, kind: str) -> str:
    """The "data:" address that holds a file."""
    mime = {"svg": "image/svg+xml", "png": "image/png"}[kind]
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def label(text: str, most: int = 28) -> str:
    """A user's text in a figure, on one line and not too long."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 1] + "…"
