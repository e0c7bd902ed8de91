"""Writes the index of a TensorFlow checkpoint with any entries, checksums and all."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from astromer.records.framing import masked_crc32c

_MAGIC = 0xDB4775248B80FB57


def write_index(path: Path, entries: Mapping[bytes, bytes]) -> None:
    """A table of one block; keys in their order."""
    data, nothing = _block(entries), _block({})
    index = _block({max(entries) + b"\xff": _varint(0) + _varint(len(data))})
    places = (
        *(len(data) + 5, len(nothing)),
        *(len(data) + 5 + len(nothing) + 5, len(index)),
    )
    footer = b"".join(map(_varint, places)).ljust(40, b"\0") + struct.pack("<Q", _MAGIC)
    path.write_bytes(b"".join(map(_sealed, (data, nothing, index))) + footer)


def _block(entries: Mapping[bytes, bytes]) -> bytes:
    parts = [
        _varint(0) + _varint(len(key)) + _varint(len(value)) + key + value
        for key, value in sorted(entries.items())
    ]
    return b"".join(parts) + struct.pack("<II", 0, 1)


def _sealed(block: bytes) -> bytes:
    return block + b"\0" + struct.pack("<I", masked_crc32c(block + b"\0"))


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])
