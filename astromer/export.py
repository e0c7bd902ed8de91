"""Writing a trained model as a SavedModel, and reading it back to go on training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer import __version__
from astromer.encoder import Encoder, Reconstructor
from astromer.errors import ModelError
from astromer.npz import DAMAGED
from astromer.serving.module import ServingModule
from astromer.storage import as_path
from pipeline_config import LightCurveRules, ServingConfig, to_dict

EXTRA = "assets.extra"
CONFIG = "config.json"
WEIGHTS = "weights.npz"


def export_saved_model(
    model: Reconstructor,
    directory: str | Path,
    metadata: dict[str, Any] | None = None,
    rules: LightCurveRules = LightCurveRules(),
    serving: ServingConfig = ServingConfig(),
) -> Path:
    """Writes a SavedModel that any TensorFlow loader can serve and this package can train on.

    Args:
        model: the trained model.
        directory: must not exist yet, or be empty.
        metadata: JSON-able facts to keep beside the weights, for instance metrics.
        rules: which observations the served model uses.
        serving: how much it takes in one request.

    Returns:
        The directory. Beside the SavedModel it holds ``assets.extra/config.json`` (how to build
        the model, its preprocessing and ``metadata``) and ``assets.extra/weights.npz``.
    """
    directory = as_path(directory)
    module = ServingModule(model, rules, serving)
    tf.saved_model.save(module, str(directory), signatures=module.signatures)
    extra = directory / EXTRA
    extra.mkdir(exist_ok=True)
    config = {
        "astromer_version": __version__,
        "tensorflow_version": tf.__version__,
        "encoder": model.encoder.settings,
        "window_size": model.window_size,
        "normalise": model.normalise,
        "rules": to_dict(rules),
        "serving": to_dict(serving),
        "metadata": metadata or {},
    }
    weights = {name: np.asarray(v) for name, v in _named_variables(model).items()}
    with (extra / WEIGHTS).open("wb") as file:
        np.savez(file, **weights)  # type: ignore[arg-type]
    (extra / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    return directory


def load_model(directory: str | Path) -> Reconstructor:
    """Rebuilds the trainable model of a SavedModel that :func:`export_saved_model` wrote.

    Raises:
        ModelError: if config or weights are missing, damaged or do not fit each other.
    """
    config = read_config(directory)
    path = as_path(directory) / EXTRA / WEIGHTS
    try:
        encoder = Encoder(**config["encoder"], name="encoder")
        model = Reconstructor(encoder, config["window_size"], config["normalise"], name="astromer")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            weights = {name: saved[name] for name in saved.files}
    except DAMAGED as error:
        raise ModelError(
            f"A pushed model must hold its config and weights. {path.parent} does not: {error}. "
            "Export the model again."
        ) from error
    variables = _named_variables(model)
    expected = {name: tuple(v.shape) for name, v in variables.items()}
    received = {name: array.shape for name, array in weights.items()}
    if expected != received:
        wrong = sorted(set(expected.items()) ^ set(received.items()))
        raise ModelError(
            f"Weights must fit the config. In {path} these differ: "
            f"{', '.join(sorted({name for name, _ in wrong}))}. Export the model again."
        )
    for name, variable in variables.items():
        variable.assign(weights[name])
    return model


def read_config(directory: str | Path) -> dict[str, Any]:
    """The ``config.json`` of a pushed model.

    Raises:
        ModelError: if there is none, or it cannot be read.
    """
    path = as_path(directory) / EXTRA / CONFIG
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"A pushed model must hold {EXTRA}/{CONFIG}. Received: {directory}, where it cannot be "
            f"read ({error.__class__.__name__}). Name the folder of one version, for instance "
            "outputs/serving/astromer/1."
        ) from error


def _named_variables(model: Reconstructor) -> dict[str, keras.Variable]:
    """Variables by names that do not depend on what Keras called the model and its encoder."""
    encoder = model.encoder
    named = {f"encoder/{v.path.split(f'{encoder.name}/')[-1]}": v for v in encoder.variables}
    for layer in (model.norm, model.head):
        named |= {f"{layer.name}/{v.name}": v for v in layer.variables}
    return named
