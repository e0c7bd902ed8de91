"""The headers and sizes of a FITS file, looked at before astropy reads it.

astropy trusts them: a negative size makes it read the same header for ever, a large one in a
compressed file makes room for all of it, and a file that is no FITS may be unpacked as zip.
Imports the standard library only. FITS Standard 4.0, section 4.4: the size of the data.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from astromer.records.unpacking import check_growth, unpacked
from astromer.system.errors import RecordError

_BLOCK, _CARD = 2880, 80
MOST_HEADER_BLOCKS = 1024
"""Blocks of one header: 36,864 cards."""
MOST_EXTENSIONS = 1000
"""Tables and images in one file; light-curve files have three."""
MOST_PACKED_DATA = 1 << 30
"""Bytes of one extension in a compressed file, which is unpacked in memory as a whole: 40 million
observations of 24 bytes. Files that are not compressed are read where they are."""
_NUMBER = re.compile(rb"(\w[\w-]*) *= *([+-]?\d+) *(?:/.*)?")


def check_structure(path: Path) -> None:
    """Makes sure that headers end, and that the data that they promise are there.

    Raises:
        RecordError: they do not, or there is too much of something.
        OSError, EOFError, zlib.error: the file cannot be read or unpacked.
    """
    with path.open("rb") as raw:
        stream, packed = unpacked(raw)
        size = None if packed else path.stat().st_size
        place = 0
        for number in range(MOST_EXTENSIONS + 1):
            cards, length = _header(stream, path, number)
            if not cards:
                return
            place += length
            data = _data_bytes(cards, path, number)
            if packed and data > MOST_PACKED_DATA:
                raise _wrong(
                    path,
                    number,
                    f"at most {MOST_PACKED_DATA:,} bytes of data in a compressed file",
                    f"{data:,}",
                    "Unpack it first (gunzip)",
                )
            end = place + data
            place = end + -end % _BLOCK
            reached = stream.seek(place) if packed else min(place, size or 0)
            if reached < end:
                raise _wrong(path, number, f"the {data:,} bytes of data that it claims", "fewer")
            if packed:
                check_growth(path, raw.tell(), reached)
            stream.seek(place)
        raise _wrong(path, number, f"at most {MOST_EXTENSIONS} extensions", "more")


def _header(stream: BinaryIO, path: Path, number: int) -> tuple[dict[str, int], int]:
    """Whole numbers by keyword, and the bytes of the header; none after the last extension."""
    numbers: dict[str, int] = {}
    for blocks in range(MOST_HEADER_BLOCKS):
        block = stream.read(_BLOCK)
        first = b"SIMPLE  =" if not number else b"XTENSION="
        if not blocks and number and not block:
            return {}, 0
        if not blocks and not block.startswith(first):
            # What follows the last extension, too: astropy takes it for headers, for ever.
            raise _wrong(path, number, f"{first.decode()} as its first words", repr(block[:9])[1:])
        if len(block) < _BLOCK:
            raise _wrong(path, number, "the card END at the end of its header", "none")
        for start in range(0, _BLOCK, _CARD):
            card = block[start : start + _CARD]
            if card.rstrip() == b"END":
                numbers.setdefault("NAXIS", 0)
                return numbers, (blocks + 1) * _BLOCK
            if found := _NUMBER.fullmatch(card.rstrip()):
                numbers.setdefault(found[1].decode(), int(found[2]))
    raise _wrong(path, number, f"at most {MOST_HEADER_BLOCKS} blocks of header", "more")


def _data_bytes(numbers: dict[str, int], path: Path, number: int) -> int:
    axes = numbers["NAXIS"]
    if not 0 <= axes <= 999:
        raise _wrong(path, number, "NAXIS from 0 to 999", str(axes))
    lengths = [numbers.get(f"NAXIS{axis + 1}", -1) for axis in range(axes)]
    pcount, gcount = numbers.get("PCOUNT", 0), numbers.get("GCOUNT", 1)
    bits = numbers.get("BITPIX", 8)
    if min([*lengths, pcount, gcount]) < 0 or abs(bits) not in (8, 16, 32, 64):
        raise _wrong(
            path,
            number,
            "lengths that are not negative, and BITPIX of 8 to 64",
            f"NAXISn {lengths}, PCOUNT {pcount}, GCOUNT {gcount}, BITPIX {bits}",
        )
    values = 1 if axes else 0
    for length in lengths:
        values *= length
    return abs(bits) // 8 * gcount * (pcount + values)


def _wrong(
    path: Path, number: int, rule: str, received: str, what_to_do: str = "Copy it again"
) -> RecordError:
    place = "its first header" if not number else f"extension {number}"
    return RecordError(
        f"{path} cannot be read as FITS: {place} must have {rule}. Received: {received[:200]}. "
        f"{what_to_do}."
    )
