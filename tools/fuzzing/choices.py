"""Structured values read off the bytes of an input, so that a fuzzer can steer them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

NUMBERS = (0.0, -0.0, 1.0, -1.0, 5.0, 59000.5, 15.0, 0.02, 1e-40, 3.4e38, -3.4e38, 1e300)
"""Numbers that light curves have, or that break arithmetic."""
STRANGE = (float("nan"), float("inf"), float("-inf"))


class Choices:
    """Reads values from bytes; where they end, everything is zero, empty or the first choice."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def take(self, count: int) -> bytes:
        """The next bytes, fewer at the end."""
        part = self._data[self._place : self._place + count]
        self._place += len(part)
        return part

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    def below(self, count: int) -> int:
        """A number from 0 to count - 1, at most 65,535."""
        return int.from_bytes(self.take(1 if count <= 256 else 2), "little") % count

    def truth(self) -> bool:
        """Yes or no."""
        return bool(self.below(2))

    def one_of(self, options: Sequence[T]) -> T:
        """One of some options."""
        return options[self.below(len(options))]

    def integer(self) -> int:
        """Any int64."""
        return int(struct.unpack("<q", self.take(8).ljust(8, b"\0"))[0])

    def number(self) -> float:
        """A plain number, a strange one, or any float64."""
        kind = self.below(4)
        if kind == 0:
            return self.one_of(NUMBERS)
        if kind == 1:
            return self.one_of(STRANGE)
        if kind == 2:
            return 58000.0 + self.below(65535) / 16
        return float(struct.unpack("<d", self.take(8).ljust(8, b"\0"))[0])

    def text(self, longest: int = 40) -> str:
        """Text of any characters."""
        return self.take(self.below(longest + 1)).decode("utf-8", errors="replace")
