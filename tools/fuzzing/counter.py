"""Counts executions where a process that dies of one leaves the count."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_COUNTER = 8  # bytes


class Counter:
    """Executions, in a file that survives the process."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(_COUNTER))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _COUNTER)
        self._count = 0

    def add(self) -> None:
        """One more."""
        self._count += 1
        struct.pack_into("<Q", self._map, 0, self._count)


def read_counter(path: Path) -> int:
    """What a :class:`Counter` has counted; 0 where there was none."""
    try:
        return int(struct.unpack("<Q", path.read_bytes())[0])
    except (OSError, struct.error):
        return 0
