"""The machine and the libraries: which there are, and which extras are missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from astromer.system.errors import AstromerError
from astromer.system.parallel import cores

MACHINE = "machine"
"""Key of :func:`describe_machine` in the metadata of a pushed model."""

COMPUTING = ("tensorflow", "keras", "numpy")
"""Libraries whose releases differ in how they round."""

_CPU_INFO = Path("/proc/cpuinfo")
_EXTRAS = {
    "records": ("pyarrow", "tomli"),
    "pipeline": (
        *("tfx", "apache_beam", "kfp", "ml_metadata"),
        *("tensorflow_data_validation", "tensorflow_metadata"),
    ),
    "plots": ("matplotlib", "jinja2"),
    "fits": ("astropy",),
    "onnx": ("onnx", "onnxruntime", "tf2onnx"),
    "finetune": ("light_curve", "sklearn"),
}
"""Libraries of each extra of pyproject.toml, by the names that Python imports."""
_TFX, _WITHOUT_TFX = "1.16", (3, 11)  # it has no release for that Python, nor for later ones
_LIBRARIES = (
    "tensorflow",
    "keras",
    "numpy",
    "pyarrow",
    "tfx",
    "apache-beam",
    "ml-metadata",
    "matplotlib",
    "jinja2",
    "scikit-learn",
)


def describe_machine() -> dict[str, Any]:
    """The ``processor``, usable ``cores``, ``memory_gib`` (0 where unknown), ``gpus``, ``system``,
    ``python``, and ``versions`` of the installed libraries by name.
    """
    return {
        "processor": processor(),
        "cores": cores(),
        "memory_gib": round(_memory() / 2**30, 1),
        "gpus": _gpus(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": library_versions(),
    }


def library_versions(names: tuple[str, ...] = _LIBRARIES) -> dict[str, str]:
    """Versions of the libraries that are installed."""
    versions = {}
    for name in names:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def library_releases(names: tuple[str, ...] = COMPUTING) -> dict[str, str]:
    """Major and minor versions of the libraries that are installed, such as "2.16"."""
    return {
        name: ".".join(version.split(".")[:2]) for name, version in library_versions(names).items()
    }


def processor() -> str:
    """Name of the processor."""
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _gpus() -> list[str]:
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    return [
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in devices
    ]


class MissingExtraError(AstromerError):
    """A library of an extra is not installed.

    Attributes:
        extra: its name in pyproject.toml.
    """

    def __init__(self, message: str, extra: str):
        super().__init__(message)
        self.extra = extra


def require(extra: str, *libraries: str) -> None:
    """Raises MissingExtraError, which says what to install, if a library is missing."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise _not_installed(extra, *missing)


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """The error for a library that an import did not find; None if no extra has it."""
    library = (error.name or "").split(".")[0]
    found = (extra for extra, libraries in _EXTRAS.items() if library in libraries)
    return next((_not_installed(extra, library) for extra in found), None)


def _not_installed(extra: str, *libraries: str) -> MissingExtraError:
    if extra == "pipeline" and sys.version_info >= _WITHOUT_TFX:
        return MissingExtraError(
            f"Pipelines must be run by Python 3.10, the newest that TFX {_TFX} is made for. "
            f"Received: Python {platform.python_version()}. Make an environment of Python 3.10 for "
            "them; python -m presentation.scripts.pretrain trains here, without TFX.",
            extra,
        )
    return MissingExtraError(
        f"{' and '.join(libraries)} {'is' if len(libraries) == 1 else 'are'} not installed. "
        f'Install with: pip install "astromer-pipeline[{extra}]".',
        extra,
    )
