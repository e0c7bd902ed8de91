"""The machine that figures were measured on, and its kernels, in one line."""

from __future__ import annotations

import os

from astromer.system.environment import processor, processor_features
from astromer.system.parallel import cores, describe_kernels


def describe() -> str:
    """Processor with its features, kernels, cores, and how busy they were in the last minutes."""
    busy, features = os.getloadavg()[1], " ".join(processor_features())
    named = f"{processor()} ({features}), {cores()} cores, {describe_kernels()}"
    return f"{named}, load {busy:.1f} in the last five minutes"
