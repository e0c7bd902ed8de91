"""Markdown of a card: tables, names that mean nothing to Markdown, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from astromer.system.text import shortened

UNKNOWN = "unknown"
_SPECIAL = re.compile(r"([\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_]))")  # as in "a_b", _ is itself


def escaped(text: str, most: int = 80) -> str:
    """A user's word, in one line of so many letters, that Markdown takes for nothing else."""
    return _SPECIAL.sub(r"\\\1", shortened(str(text), most))


def listed(names: Sequence[str]) -> str:
    """Names with commas; "unknown" for none."""
    return ", ".join(escaped(name) for name in names) or UNKNOWN


def number(value: Any, digits: int = 4) -> str:
    """A number for people; "unknown" where there is none."""
    if value is None or isinstance(value, str):
        return escaped(value) if value else UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def settings(values: Mapping[str, Any]) -> str:
    """A table of settings and their values; nested ones have dotted names."""
    return table(("setting", "value"), [(f"`{k}`", number(v, 6)) for k, v in flat(values).items()])


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level: ``{"a": {"b": 1}}`` becomes ``{"a.b": 1}``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            found[prefix + name] = ", ".join(map(str, value)) or "none"
        else:
            found[prefix + name] = value
    return found
