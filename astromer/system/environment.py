"""The machine, its libraries and the settings of its user: what there is, and what is missing.

Settings are those of Keras, the home folder and proxies. Imports the standard library only.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from astromer.system.errors import AstromerError, UsageError
from astromer.system.parallel import cores, describe_kernels
from astromer.system.untrusted_files import read_json

MACHINE = "machine"
"""Key of :func:`describe_machine` in the metadata of a pushed model."""

COMPUTING = ("tensorflow", "keras", "numpy")
"""Libraries whose releases differ in how they round."""

_CPU_INFO = Path("/proc/cpuinfo")
_MATRIX_FEATURES = ("avx", "amx", "fma", "asimd", "sve", "bf16", "i8mm")
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
    """The ``processor``, the ``kernels`` in use, usable ``cores``, ``memory_gib`` (0: unknown),
    ``gpus``, ``system``, ``python``, and ``versions`` of the installed libraries by name.
    """
    return {
        "processor": processor(),
        "kernels": describe_kernels(),
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
    return _cpu_info("model name") or platform.processor() or platform.machine()


def processor_features() -> list[str]:
    """What decides on the speed of matrix products; empty where unknown."""
    words = (_cpu_info("flags") or _cpu_info("Features")).split()
    return sorted(word for word in words if word.startswith(_MATRIX_FEATURES))


def _cpu_info(name: str) -> str:
    with suppress(OSError):
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    return ""


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


_BACKEND = "tensorflow"
_SETTINGS = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
"""Keras' own defaults, which every model here was made with."""
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
"""The variables that gRPC reads."""
_DIRECT = "no_grpc_proxy"
_HERE = ("localhost", "127.0.0.1", "::1")


def prepare_surroundings() -> None:
    """Sets what libraries read when they are imported. Must be called before TensorFlow is.

    Says on standard error which settings of the user's are not used.
    """
    _give_home()
    bypass_proxy(_HERE)
    if "keras" not in sys.modules:
        _set_keras()


def check_keras() -> None:
    """Checks the settings of a Keras that a user's program may have imported first.

    Raises:
        UsageError: they are not those that the models here are made with.
    """
    import keras

    wanted = {"backend": _BACKEND, "floatx": _SETTINGS["floatx"]}
    found = {"backend": keras.config.backend(), "floatx": keras.config.floatx()}
    if found != wanted:
        raise UsageError(
            f"Keras must have {_listed(wanted)}. Received: {_listed(found)}. Load the model before "
            "keras is imported, or change KERAS_BACKEND and keras.json."
        )


def bypass_proxy(hosts: Iterable[str]) -> None:
    """Lets gRPC reach hosts directly, where a proxy is set. Other clients do as before."""
    if not any(os.environ.get(name) for name in _PROXIES):
        return
    known = os.environ.get(_DIRECT) or os.environ.get("no_proxy") or ""
    names = [name.strip() for name in known.split(",") if name.strip()]
    os.environ[_DIRECT] = ",".join(dict.fromkeys([*names, *hosts]))


def _give_home() -> None:
    """A user without a name has no home folder; libraries that look for one fail without."""
    if not os.environ.get("HOME"):
        os.environ.pop("HOME", None)
        if os.path.expanduser("~") == "~":
            os.environ["HOME"] = tempfile.gettempdir()


def _set_keras() -> None:
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        settings = read_json(folder / "keras.json")
    except (OSError, ValueError):  # as Keras does, which then takes its defaults
        settings = {}
    given = settings if isinstance(settings, dict) else {}
    variable = os.environ.get("KERAS_BACKEND")
    unused = []
    if variable and variable != _BACKEND:
        unused.append(f"KERAS_BACKEND={variable}")
    wrong = _others(given, _SETTINGS if variable else {"backend": _BACKEND, **_SETTINGS})
    if wrong:
        unused.append(f"{_listed(wrong)} in {folder / 'keras.json'}")
    os.environ["KERAS_BACKEND"] = _BACKEND
    if unused:
        print(
            f"note: Keras runs on {_BACKEND} with {_listed(_SETTINGS)} here. Not used: "
            f"{', '.join(unused)}.",
            file=sys.stderr,
        )
    if wrong.keys() & _SETTINGS.keys():
        import keras

        keras.config.set_floatx(_SETTINGS["floatx"])
        keras.config.set_epsilon(_SETTINGS["epsilon"])
        keras.config.set_image_data_format(_SETTINGS["image_data_format"])


def _others(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name, value in wanted.items() if found.get(name, value) != value}


def _listed(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
