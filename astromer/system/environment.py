"""The machine and the libraries that something was computed with."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from pathlib import Path
from typing import Any

from astromer.system.errors import AstromerError
from astromer.system.parallel import cores

MACHINE = "machine"
"""Among the metadata of a pushed model: what :func:`describe_machine` gives."""

_CPU_INFO = Path("/proc/cpuinfo")
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
    """Plain facts: ``processor``, ``cores`` that may be used, ``memory_gib`` (0 where unknown),
    ``gpus``, ``system``, ``python``, and ``versions`` of the installed libraries by name.
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
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


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


# Which extra of pyproject.toml brings a library.
_EXTRAS = {
    "pyarrow": "records",
    "tomli": "records",
    "tfx": "pipeline",
    "apache_beam": "pipeline",
    "ml_metadata": "pipeline",
    "tensorflow_data_validation": "pipeline",
    "tensorflow_metadata": "pipeline",
    "kfp": "pipeline",
    "matplotlib": "plots",
    "jinja2": "plots",
    "astropy": "fits",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "tf2onnx": "onnx",
    "light_curve": "finetune",
    "sklearn": "finetune",
}


class MissingExtraError(AstromerError):
    """A library of an extra is not installed.

    Attributes:
        extra: its name in pyproject.toml.
    """

    def __init__(self, message: str, extra: str):
        super().__init__(message)
        self.extra = extra


def require(extra: str, *libraries: str) -> None:
    """Raises MissingExtraError, which says how to install them, for libraries not there."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise _not_installed(extra, *missing)


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """What to install for a library that an import did not find; None if no extra has it."""
    library = (error.name or "").split(".")[0]
    return _not_installed(_EXTRAS[library], library) if library in _EXTRAS else None


def _not_installed(extra: str, *libraries: str) -> MissingExtraError:
    return MissingExtraError(
        f"{' and '.join(libraries)} {'is' if len(libraries) == 1 else 'are'} not installed. "
        f'Install with: pip install "astromer-pipeline[{extra}]".',
        extra,
    )
