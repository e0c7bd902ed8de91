"""Which star a light curve belongs to, told by its name and band."""

from __future__ import annotations

BAND_SEPARATORS = "_-. "
"""Some surveys name each band of a star: STAR_R and STAR_B are one star."""


def star_name(name: str, band: str) -> str:
    """The name without its band at the end."""
    if band and name.endswith(band) and name[: -len(band)].endswith(tuple(BAND_SEPARATORS)):
        return name[: -len(band) - 1]
    return name
