"""Plain data as YAML, for readers of YAML 1.1 and 1.2 alike, without a library.

Texts are always in double quotes, with everything escaped that is not printable, so that no name of
a survey or a class can be taken for something else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN_KEY = re.compile(r"[a-z][a-z_-]*")
_NO_KEYS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")  # other types in YAML 1.1


def to_yaml(content: Mapping[str, Any]) -> str:
    """A block of YAML, with a line break at its end.

    Args:
        content: nested mappings and sequences of str, int, float, bool and None.
    """
    return "".join(f"{line}\n" for line in _mapping(content))


def _mapping(content: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, value in content.items():
        lines += _entry(f"{_key(key)}:", value)
    return lines


def _sequence(content: Sequence[Any]) -> list[str]:
    lines = []
    for value in content:
        below = _block(value)
        if below:
            lines += [f"- {below[0]}", *(f"  {line}" for line in below[1:])]
        else:
            lines.append(f"- {_scalar(value)}")
    return lines


def _entry(head: str, value: Any) -> list[str]:
    below = _block(value)
    return [head, *(f"  {line}" for line in below)] if below else [f"{head} {_scalar(value)}"]


def _block(value: Any) -> list[str]:
    """Lines of what is not empty and holds other values."""
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _sequence(value)
    return []


def _scalar(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    return _quoted(str(value))


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    mantissa, exponent, power = repr(value).partition("e")
    # YAML 1.1 takes 1e-05 for a text: it wants a point, and a sign of the exponent.
    if exponent and "." not in mantissa:
        mantissa += ".0"
    if exponent and power[0] not in "+-":
        power = f"+{power}"
    return mantissa + exponent + power


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and key not in _NO_KEYS else _quoted(key)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
