"""A user's words in messages, tables and plots. Imports the standard library only."""

from __future__ import annotations

_MOST = 80


def printable(text: str) -> str:
    """Text with characters that a terminal would obey, or that start a line, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, width: int = _MOST) -> str:
    """Printable text, cut to ``width`` characters."""
    # Cut first: a name may be as long as its record.
    text = printable(text[: width + 1])
    return text if len(text) <= width else text[: width - 3] + "..."
