"""A bit of a file that is not as it was."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random


def draw_file(folder: Path, patterns: tuple[str, ...], rng: Random) -> Path:
    """One of the files that match, larger ones no more often than small ones.

    Raises:
        FileNotFoundError: none does.
    """
    found = sorted(
        {file for pattern in patterns for file in folder.glob(pattern) if file.is_file()}
    )
    found = [file for file in found if file.stat().st_size]
    if not found:
        raise FileNotFoundError(f"none of {patterns} in {folder}")
    return rng.choice(found)


def flip(file: Path, rng: Random) -> str:
    """Flips a bit anywhere in a file, whose times stay; returns where, in words."""
    times = file.stat()
    content = bytearray(file.read_bytes())
    place = rng.randrange(len(content) * 8)
    content[place // 8] ^= 1 << place % 8
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    return f"bit {place % 8} of byte {place // 8} in {file.name}"


def cut(file: Path, rng: Random) -> str:
    """Cuts a file off anywhere, at its beginning now and then; returns where, in words."""
    size = rng.choice((0, rng.randrange(file.stat().st_size)))
    os.truncate(file, size)
    return f"{file.name} cut off after {size} bytes"
