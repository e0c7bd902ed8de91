"""TOML: the standard library's reader, which Python 3.10 does not have yet, and values to write."""

from __future__ import annotations

import json
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

__all__ = ["to_toml", "tomllib"]


def to_toml(value: Any) -> str:
    """A text, number, truth value or list of them, as TOML writes it.

    It is JSON, but with its letters as they are: JSON's two halves of an emoji are none of TOML's.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
