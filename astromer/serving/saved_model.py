"""The files of a pushed model. Loads TensorFlow only to load a SavedModel."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from astromer.records.config import LightCurveRules
from astromer.system.errors import ModelError
from astromer.system.storage import RemotePath, as_path
from astromer.system.text import shortened
from astromer.system.untrusted_files import read_json

EXTRA = "assets.extra"
CONFIG, WEIGHTS, FACTS_FILE = "config.json", "weights.npz", "card.json"
"""Files in the folder EXTRA; the last has the facts of the model card, for programs."""

CARD_FILE = "README.md"
"""The model card of a version, under the name that model hubs and file browsers show."""

ENCODER, CLASSIFIER = "encoder", "classifier"

PATTERN_CHARACTERS = "*?[]{}\\"
"""TensorFlow reads a path with one of these as a pattern when it searches for the weights."""


def read_config(directory: str | Path) -> dict[str, Any]:
    """The ``config.json`` of a pushed model.

    Raises:
        ModelError: there is none, it cannot be read, or it does not describe a model.
    """
    path = as_path(directory) / EXTRA / CONFIG
    try:
        config = read_json(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"A pushed model must hold {EXTRA}/{CONFIG}. Received: {directory}, where it cannot be "
            f"read ({error.__class__.__name__}). Name the folder of one version, for instance "
            "outputs/serving/astromer/1."
        ) from error
    if problem := _problem(config):
        raise ModelError(
            f"{path} must describe a model. Received: {problem}. Export the model again."
        )
    return config


def try_read_config(version: Path) -> dict[str, Any]:
    """The ``config.json`` of a version; empty if it cannot be read."""
    return _try_read(version / EXTRA / CONFIG)


def read_facts(version: Path) -> dict[str, Any]:
    """The facts of a version's card; empty if it has none or they cannot be read."""
    return _try_read(version / EXTRA / FACTS_FILE)


def model_kind(config: Mapping[str, Any]) -> str:
    """Whether a config is that of an "encoder" or a "classifier"."""
    return CLASSIFIER if "head" in config else ENCODER


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings in one level: ``{"a": {"b": [1, 2]}}`` becomes ``{"a.b": "1, 2"}``."""
    settings: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            settings |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, (list, tuple)):
            settings[prefix + name] = ", ".join(map(str, value)) or "none"
        else:
            settings[prefix + name] = value
    return settings


def load_saved_model(directory: str | Path) -> Any:
    """As ``tf.saved_model.load``, from a folder of any name."""
    import tensorflow as tf

    with plain_folder(directory) as folder:
        return tf.saved_model.load(folder)


@contextmanager
def plain_folder(directory: str | Path) -> Iterator[str]:
    """The folder, or a temporary link to it if TensorFlow would read its name as a pattern."""
    path = as_path(directory)
    if isinstance(path, RemotePath) or not set(str(path)) & set(PATTERN_CHARACTERS):
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="astromer-") as temporary:
        link = Path(temporary) / "model"
        os.symlink(path.absolute(), link, target_is_directory=True)
        yield str(link)


def _problem(config: Any) -> str:
    """What is wrong with the form of a config; empty if nothing is."""
    if not isinstance(config, dict):
        return f"{type(config).__name__} instead of an object"
    for name in ("encoder", "rules", "metadata"):
        if not isinstance(config.get(name, {}), dict):
            return f"{name} that is no object"
    rules = {field.name for field in dataclasses.fields(LightCurveRules)}
    for name, value in config.get("rules", {}).items():
        if name not in rules or isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"the rule {shortened(repr(name))} of {shortened(repr(value))}"
    return ""


def _try_read(file: Path) -> dict[str, Any]:
    try:
        content = read_json(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
