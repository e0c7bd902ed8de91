"""A user's words in messages, tables and plots. Imports the standard library only."""

from __future__ import annotations

import re
from collections.abc import Collection

_MOST = 80
_PASSWORD = re.compile(r"(://[^\s:/@]*:)\S*@")


def printable(text: str) -> str:
    """Text with characters that a terminal would obey, or that start a line, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def without_passwords(text: str) -> str:
    """Text in which the passwords of URLs, ``scheme://user:password@host``, are stars."""
    return _PASSWORD.sub(r"\1***@", text)


def shortened(text: str, width: int = _MOST) -> str:
    """Printable text, cut to ``width`` characters."""
    # Cut first: a name may be as long as its record.
    text = printable(text[: width + 1])
    return text if len(text) <= width else text[: width - 3] + "..."


def duration(seconds: float) -> str:
    """A time as people say it: "4 s", "12 min", "3.5 h"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def other_classes(names: Collection[str], unknown: bool = False) -> str:
    """What joins the classes that have no colour or row of their own.

    Args:
        names: those classes.
        unknown: whether light curves without a class are with them.
    """
    parts = [f"{len(names)} other classes"] if len(names) > 1 else list(names)
    return " or ".join([*parts, *(["class unknown"] if unknown else [])])
