"""Which files an output folder has, numbers aside: what is there besides is a leftover."""

from __future__ import annotations

import re
from pathlib import Path

_NUMBERS = re.compile(r"\d+")
_FINGERPRINT = re.compile(r"[0-9a-f]{16,}")


def shape_of(output: Path) -> list[str]:
    """The paths below a folder, with ``#`` for numbers and fingerprints, each once."""
    paths = (path.relative_to(output).as_posix() for path in output.rglob("*"))
    return sorted({_NUMBERS.sub("#", _FINGERPRINT.sub("#", path)) for path in paths})
