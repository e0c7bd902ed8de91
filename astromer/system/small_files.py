"""Files that people and programs write settings and facts into: JSON, TOML and plain text.

Whoever reads one takes all of it into memory, so each has a largest size; and parsers recurse, so
that what is nested deeply ends in a RecursionError. Here all that is a ValueError.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from astromer.system.toml import tomllib

MOST_BYTES = 1 << 26
"""64 MiB: facts, histories and checksums. Those of a version with 100,000 files have 16 MiB."""

MOST_TOML_BYTES = 1 << 18
"""256 KiB: settings. A survey's have a kilobyte; the parser takes three seconds for the worst."""


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The text of a small file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger than ``most`` bytes, or no UTF-8.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content.decode("utf-8")


def read_json(path: Path) -> Any:
    """What a small JSON file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large, no UTF-8, no JSON, or nested too deeply.
    """
    return parse_json(read_text(path))


def parse_json(text: str) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_toml(path: Path) -> dict[str, Any]:
    """What a small TOML file says.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large, no UTF-8, no TOML, or nested too deeply.
    """
    return parse_toml(read_text(path, MOST_TOML_BYTES))


def parse_toml(text: str) -> dict[str, Any]:
    """What a TOML text says.

    Raises:
        ValueError: it is no TOML, or nested too deeply.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
