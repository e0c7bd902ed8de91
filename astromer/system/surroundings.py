"""What libraries take from a user's surroundings: Keras' settings, the home folder, proxies.

Imports the standard library only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from astromer.system.errors import UsageError
from astromer.system.untrusted_files import read_json

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
