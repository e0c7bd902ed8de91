"""Which star a light curve belongs to, told by its name and band."""

from __future__ import annotations

import unicodedata

_BAND_SEPARATORS = "_-. "
"""Some surveys name each band of a star: STAR_R and STAR_B are one star."""


def star_name(name: str, band: str) -> str:
    """The name without its band at the end."""
    if band and name.endswith(band) and name[: -len(band)].endswith(tuple(_BAND_SEPARATORS)):
        return name[: -len(band) - 1]
    return name


def star_key(name: str, band: str) -> str:
    """What a star's names have in common, however they are written; "" for no name.

    Case, spaces around the name, their number inside it and zeros before a number do not
    count: ``"lmc-7 "`` is ``"LMC-7"``, and ``"0077"`` the integer 77.
    """
    key = star_name(_plain(name), _plain(band))
    return (key.lstrip("0") or "0") if key.isdecimal() else key


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
