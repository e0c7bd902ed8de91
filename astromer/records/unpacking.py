"""Reading files that may be compressed by gzip, and how far: a few kilobytes may claim terabytes.

Imports the standard library only.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

from astromer.system.errors import RecordError

MOST_GROWTH = 200
"""Unpacked bytes for a byte of the file. Records grow by 2 and text by 10; gzip can do 1,032."""

DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading a gzip file raises where it is cut off or corrupt."""

FREE = 1 << 28
"""256 MiB: what may be unpacked whatever the growth."""


def unpacked(raw: BinaryIO) -> tuple[BinaryIO, bool]:
    """What a file holds, unpacked as it is read, and whether it is compressed.

    Args:
        raw: at the beginning of the file.
    """
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return (gzip.GzipFile(fileobj=raw) if packed else raw), packed  # type: ignore[return-value]


def check_growth(file: Path, packed: int, unpacked: int) -> None:
    """Raises RecordError where too much has come out of too little.

    Args:
        file: the gzip file.
        packed: bytes of it that have been read.
        unpacked: bytes that they gave.
    """
    if unpacked > FREE and unpacked > MOST_GROWTH * packed:
        raise RecordError(
            f"{file} must not grow more than {MOST_GROWTH}-fold when it is unpacked, as light "
            f"curves never do. Received: {unpacked:,} bytes from the first {packed:,}. If you "
            "trust it, unpack it yourself (gunzip) and give the result."
        )
