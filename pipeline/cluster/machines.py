"""Cores and memory of machines that clusters offer by name."""

from __future__ import annotations

import re

from astromer.system.errors import UsageError

_GB_PER_CORE = {
    "n1-standard": 3.75,
    "n1-highmem": 6.5,
    "n1-highcpu": 0.9,
    "n2-standard": 4.0,
    "n2-highmem": 8.0,
    "n2-highcpu": 1.0,
    "e2-standard": 4.0,
    "e2-highmem": 8.0,
    "e2-highcpu": 1.0,
    "c2-standard": 4.0,
    "g2-standard": 4.0,
}
"""Of Google Compute Engine's machine families whose names end with the number of cores."""
_A2_CORES, _A2_GB = 12, 85
"""For each GPU of a2-highgpu-Ng."""


def cores_and_memory(machine_type: str) -> tuple[float, float]:
    """What a machine has: cores, and memory in GB.

    Vertex AI takes limits of cores and memory for a step, not the name of a machine, and finds
    the machine itself; so does Kubernetes.

    Args:
        machine_type: a name of Google Compute Engine such as n1-standard-8, or ``CORES:GB``.

    Raises:
        UsageError: it is neither.
    """
    if found := re.fullmatch(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", machine_type):
        return float(found[1]), float(found[2])
    if found := re.fullmatch(r"a2-highgpu-(\d+)g", machine_type):
        return float(_A2_CORES * int(found[1])), float(_A2_GB * int(found[1]))
    family, _, cores = machine_type.rpartition("-")
    if family not in _GB_PER_CORE or not cores.isdigit():
        raise UsageError(
            f"--machine-type must be CORES:GB, a2-highgpu-Ng, or one of these families with the "
            f"number of cores: {', '.join(_GB_PER_CORE)}. Received: {machine_type}."
        )
    return float(cores), float(cores) * _GB_PER_CORE[family]
