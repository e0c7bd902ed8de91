"""What a store tells about a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileStatus:
    """The part of :class:`os.stat_result` that stores know.

    Attributes:
        st_size: bytes.
        st_mtime_ns: time of the last change [ns since 1970]; 0 where the store keeps none.
    """

    st_size: int
    st_mtime_ns: int

    @property
    def st_mtime(self) -> float:
        """Time of the last change [s since 1970]."""
        return self.st_mtime_ns / 1e9
