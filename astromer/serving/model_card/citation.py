"""Licence and citation, from ``CITATION.cff``."""

from __future__ import annotations

import re
from pathlib import Path

CITATION_FILE = Path(__file__).with_name("CITATION.cff")
"""A link to the repository's own, so that an installed package has it, too."""


def citation_text() -> str:
    """The file as it is."""
    return CITATION_FILE.read_text(encoding="utf-8")


def license_name() -> str:
    """The licence by its SPDX name, for instance "MIT"."""
    return _values("license")[0]


def reference() -> str:
    """The paper that describes the model, in one line."""
    [title] = _values("title")[1:]
    [journal], [volume], [start], [year], [doi] = (
        _values(key) for key in ("journal", "volume", "start", "year", "doi")
    )
    first = f"{_values('family-names')[0]} et al."
    return f"{first} ({year}): {title}. {journal} {volume}, {start}. https://doi.org/{doi}"


def _values(key: str) -> list[str]:
    """Values of a key, at any depth, without their quotes; in the order of the file."""
    found = re.findall(rf"^[ -]*{re.escape(key)}: *(.+)$", citation_text(), re.MULTILINE)
    return [value.strip().strip('"') for value in found]
