"""The machine that figures were measured on, in one line."""

from __future__ import annotations

import os

from astromer.system.environment import processor
from astromer.system.parallel import cores


def describe() -> str:
    """Processor, cores that may be used, and how busy they were in the last minutes."""
    busy = os.getloadavg()[1]
    return f"{processor()}, {cores()} cores, load {busy:.1f} in the last five minutes"
