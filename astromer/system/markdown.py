"""Markdown: tables, numbers, and text of which Markdown interprets nothing."""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterable, Sequence
from typing import Any

from astromer.system.text import shortened

UNKNOWN = "unknown"
_SPECIAL = re.compile(r"([\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_]))")  # keeps the _ of "a_b"


def escaped(text: str, most: int = 80) -> str:
    """A user's text in one line, cut to ``most`` characters, with a backslash where needed."""
    return _SPECIAL.sub(r"\\\1", shortened(str(text), most))


def listed(names: Iterable[str]) -> str:
    """Names with commas, escaped; "unknown" if there is none."""
    return ", ".join(escaped(name) for name in names) or UNKNOWN


def number(value: Any, digits: int = 4) -> str:
    """A number for people, or text, escaped; "unknown" for None and an empty text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, numbers.Real):
        return escaped(value) if value else UNKNOWN
    value = value if isinstance(value, int) else float(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
