"""Filling in a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astromer.system.extras import require
from astromer.system.text import printable, shortened


def render(template: Path, content: Mapping[str, Any]) -> str:
    """The page that a template describes: one file of HTML and pictures, no scripts.

    Everything that is filled in is escaped. A template may extend ``base.html`` of this folder.

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
    return environment.get_template(template.name).render(content)


def write_page(template: Path, content: Mapping[str, Any], file: Path) -> Path:
    """Writes the page of :func:`render` to a file."""
    file.write_text(render(template, content), encoding="utf-8", errors="backslashreplace")
    return file
