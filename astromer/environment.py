"""What a model is made with: versions of packages, and the machine."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import tensorflow as tf

from astromer.concurrency import cores

_CPU_INFO = Path("/proc/cpuinfo")
_PACKAGES = ("tensorflow", "keras", "numpy", "pyarrow", "scikit-learn", "tfx", "apache-beam")


def environment() -> dict[str, Any]:
    """Facts of this process, JSON-able.

    Returns:
        "python", "packages" (version by name, of those that are installed), "processor", "cores"
        (that this process may use) and "gpus" (their names).
    """
    return {
        "python": platform.python_version(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "processor": processor(),
        "cores": cores(),
        "gpus": [_gpu_name(device) for device in tf.config.list_physical_devices("GPU")],
    }


def processor() -> str:
    """The processor's name, as far as the system tells."""
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _gpu_name(device: Any) -> str:
    return tf.config.experimental.get_device_details(device).get("device_name", device.name)
