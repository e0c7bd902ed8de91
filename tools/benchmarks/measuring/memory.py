"""Resident memory of this process, as Linux counts it."""

from __future__ import annotations

import re
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident_memory() -> int:
    """Bytes in memory now."""
    return _read("VmRSS")


def peak_memory() -> int:
    """The most bytes in memory since :func:`forget_peak`, else since the start."""
    return _read("VmHWM")


def forget_peak() -> None:
    """Counts the peak anew from now on."""
    _CLEAR.write_text("5")  # proc(5)


def _read(name: str) -> int:
    [kilobytes] = re.findall(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(kilobytes) * 1024
