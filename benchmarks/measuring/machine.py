"""The machine that figures were measured on, in one line."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from astromer.concurrency import cores

_CPU_INFO = Path("/proc/cpuinfo")


def describe() -> str:
    """Processor, cores that may be used, and how busy they were in the last minutes."""
    busy = os.getloadavg()[1]
    return f"{_processor()}, {cores()} cores, load {busy:.1f} in the last five minutes"


def _processor() -> str:
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
