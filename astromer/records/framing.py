"""The frames of a TFRecord file, plain or gzip: whether each is whole, without its payload.

TensorFlow reads a file that ends inside a frame's header as if it were complete, and dies of
a header that claims more memory than there is. So every frame is checked first. A few kilobytes
of gzip may claim terabytes, so its growth is limited. Imports the standard library only.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from astromer.system.errors import RecordError

_MOST_BYTES = 1 << 28
"""Longest record: 17 million observations. Nothing longer is a light curve."""

MAKE_AGAIN = "Make or copy the records again."
_HEADER, _FOOTER = 12, 4
_SAMPLED = 500  # records that an estimate is made from
MOST_GROWTH = 200
"""Unpacked bytes for a byte of the file. Records grow by 2 and text by 10; gzip can do 1,032."""

GZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading a gzip file raises where it is cut off or corrupt."""

FREE = 1 << 28
"""256 MiB: what may be unpacked whatever the growth."""


def compression_of(file: Path) -> str:
    """``"GZIP"`` or ``""`` (none), as TensorFlow calls it; the first bytes decide."""
    with file.open("rb") as raw:
        return "GZIP" if unpacked(raw)[1] else ""


def check_framing(file: Path) -> bool:
    """Checks the frame of a file's first record.

    Returns:
        Whether there is a record.

    Raises:
        RecordError: the file cannot be read or does not start with a whole TFRecord frame.
    """
    return next(_frames(file), None) is not None


def record_sizes(file: Path) -> array[int]:
    """Checks the frames of all records, in a few microseconds each; payloads are skipped.

    Returns:
        The bytes of each record.

    Raises:
        RecordError: the file cannot be read, or a frame is damaged or cut off.
    """
    return array("L", _frames(file))


def estimate_records(files: Iterable[Path]) -> int | None:
    """About how many records some files hold, for a progress bar; None where it is unknown.

    From the sizes of the files and of the first records of the largest one.
    """
    try:
        sizes = {file: file.stat().st_size for file in files}
        largest = max(sizes, key=sizes.__getitem__)
        with largest.open("rb") as raw:
            stream, _ = unpacked(raw)
            looked = 0
            for looked in range(1, _SAMPLED + 1):
                if len(header := stream.read(_HEADER)) < _HEADER:
                    looked -= 1
                    break
                stream.read(min(int.from_bytes(header[:8], "little"), _MOST_BYTES) + _FOOTER)
            return round(sum(sizes.values()) * looked / max(raw.tell(), 1)) or None
    except (OSError, ValueError, *GZIP_ERRORS):
        return None  # reading the file will say what is wrong


def locate(file: Path, index: int) -> str:
    """Where a record is, for errors."""
    return f"record {index} (counted from 0) of {file}"


def _frames(file: Path) -> Iterator[int]:
    """The length of each record."""
    index = position = 0
    with _opened(file) as (stream, size, raw):
        while True:
            try:
                header = stream.read(_HEADER)
                if not header:
                    return
                length = _length(header, file, index)
                position += _HEADER + length + _FOOTER
                reached = stream.seek(position) if size is None else min(position, size)
            except GZIP_ERRORS as error:
                raise RecordError(_gzip_damage(file, index, error)) from None
            if reached < position:
                raise RecordError(
                    f"{locate(file, index)} is cut off: it needs {position - reached:,} bytes more "
                    f"than the file has. {MAKE_AGAIN}"
                )
            if size is not None:
                stream.seek(position)
            else:
                check_growth(file, raw.tell(), position)
            yield length
            index += 1


@contextmanager
def _opened(file: Path) -> Iterator[tuple[BinaryIO, int | None, BinaryIO]]:
    """What the file holds, how many bytes that is (None where it is compressed), and the file."""
    try:
        with file.open("rb") as raw:
            stream, packed = unpacked(raw)
            yield stream, None if packed else file.stat().st_size, raw
    except OSError as error:
        raise RecordError(f"{file} cannot be read: {error.strerror or error}.") from None


def _length(header: bytes, file: Path, index: int) -> int:
    """Length of the payload."""
    whole = len(header) == _HEADER
    length, checksum = struct.unpack("<QI", header) if whole else (0, 0)
    if whole and checksum == masked_crc32c(header[:8]):
        if length > _MOST_BYTES:
            raise RecordError(
                f"{locate(file, index)} claims {length:,} bytes; a light curve has at most "
                f"{_MOST_BYTES:,}. {MAKE_AGAIN}"
            )
        return int(length)
    if not index:
        raise RecordError(
            f"{file} is not a TFRecord file: its first record has no valid header. Make records "
            "with astromer create_records."
        )
    damage = "has a corrupt header (wrong checksum)" if whole else "is cut off in its header"
    raise RecordError(
        f"{locate(file, index)} {damage}: the file is damaged, or has bytes after its last record. "
        f"{MAKE_AGAIN}"
    )


def _gzip_damage(file: Path, index: int, error: Exception) -> str:
    if isinstance(error, EOFError):
        damage = "it is cut off"
    elif "Not a gzipped file" in str(error):
        damage = "it has other bytes after its end"
    else:
        damage = "it is corrupt (wrong checksum or code)"
    at = f" at record {index} (counted from 0)"
    return f"{file} is a damaged gzip file: {damage}{at}. {MAKE_AGAIN}"


def _make_crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC_TABLE = _make_crc_table()


def masked_crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) as TensorFlow's files have it: turned, and with a constant added."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


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
