"""Exports a trained model as a SavedModel, and loads it again.

It comes back as a network to train on, as a Keras layer of raw light curves, or as the signatures
of a model that is kept without its graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from astromer import __version__
from astromer.encoder.encoder import Encoder
from astromer.encoder.pooling import MEAN, pool_steps, pool_windows
from astromer.encoder.reconstructor import Reconstructor
from astromer.records.config import LightCurveRules
from astromer.serving.checksums import check_undamaged, write_checksums
from astromer.serving.config import ServingConfig
from astromer.serving.graph_input import from_padded
from astromer.serving.saved_model import CONFIG, EXTRA, WEIGHTS, read_config
from astromer.serving.signatures import ServingModule
from astromer.serving.windowing import cut_observations, usable_values
from astromer.system.config import from_dict, to_dict
from astromer.system.errors import ModelError
from astromer.system.storage import as_path
from astromer.system.text import brief, shortened
from astromer.system.untrusted_files import READ_ERRORS, read_arrays


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
        metadata: JSON-able facts for ``config.json``, for instance metrics.
        rules: which observations the served model uses.
        serving: the limits of its requests.

    Returns:
        The directory. Beside the SavedModel it holds ``assets.extra/config.json`` (how to build
        the model, its preprocessing and ``metadata``), ``assets.extra/weights.npz`` and
        ``checksums.txt``.
    """
    directory = as_path(directory)
    module = ServingModule(model, rules, serving)
    tf.saved_model.save(module, str(directory), signatures=module.signatures)
    return export_weights(model, directory, metadata, rules, serving)


def export_weights(
    model: Reconstructor,
    directory: str | Path,
    metadata: dict[str, Any] | None = None,
    rules: LightCurveRules = LightCurveRules(),
    serving: ServingConfig = ServingConfig(),
) -> Path:
    """Writes what :func:`export_saved_model` does, but for the SavedModel itself.

    Args:
        model, metadata, rules, serving: as there.
        directory: must exist.

    Returns:
        The directory.
    """
    directory = as_path(directory)
    weights = {name: np.asarray(v) for name, v in _named_variables(model).items()}
    write_extra(directory, model, weights, rules, serving, metadata or {})
    return directory


def write_extra(
    directory: Path,
    model: Reconstructor,
    weights: Mapping[str, np.ndarray],
    rules: LightCurveRules,
    serving: ServingConfig,
    metadata: Mapping[str, Any],
    **more: Any,
) -> None:
    """Writes config and weights into a SavedModel, then the checksums of all its files.

    Args:
        directory: of the SavedModel.
        model: the network.
        weights: what goes to ``weights.npz``.
        rules, serving, metadata: as for :func:`export_saved_model`.
        more: further entries of ``config.json``.
    """
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
        "metadata": dict(metadata),
        **more,
    }
    with (extra / WEIGHTS).open("wb") as file:
        np.savez(file, **weights)  # type: ignore[arg-type]
    (extra / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    write_checksums(directory)


def load_model(directory: str | Path) -> Reconstructor:
    """Rebuilds the trainable model of a SavedModel that :func:`export_saved_model` wrote.

    Raises:
        ModelError: config or weights are missing, damaged or do not fit each other.
        DamagedVersionError: files have changed since they were written.
    """
    check_undamaged(as_path(directory))
    config = read_config(directory)
    path = as_path(directory) / EXTRA / WEIGHTS
    try:
        weights = read_arrays(path)
        check_weights(config, weights)
        encoder = Encoder(**config["encoder"], name="encoder")
        model = Reconstructor(encoder, config["window_size"], config["normalise"], name="astromer")
    except READ_ERRORS as error:
        raise ModelError(
            f"A pushed model must hold its config and weights. {path.parent} does not: "
            f"{brief(error)}. Export the model again."
        ) from error
    variables = _named_variables(model)
    expected = {name: tuple(v.shape) for name, v in variables.items()}
    received = {name: array.shape for name, array in weights.items()}
    if expected != received:
        differing = set(expected.items()) ^ set(received.items())
        names = ", ".join(sorted({name for name, _ in differing}))
        raise ModelError(
            f"Weights must fit the config. In {path} these differ: {shortened(names, 600)}. "
            "Export the model again."
        )
    for name, variable in variables.items():
        variable.assign(weights[name])
    return model


def check_weights(config: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> None:
    """Checks, before a model is built, that the weights suffice for the sizes in the config.

    Raises:
        ValueError: there are too few, or some are not finite numbers.
    """
    width, layers, ffn = (
        whole_number(config["encoder"], name) for name in ("d_model", "num_layers", "ffn_dim")
    )
    whole_number(config, "window_size")
    if "rules" not in config:
        raise ValueError("the config has no rules")
    total = sum(array.size for array in weights.values())
    least = layers * width * (4 * width + 2 * ffn)  # the kernels of attention and feed-forward
    if least > total or layers > total:
        raise ValueError(
            f"{layers} layers of width {width} need {least:,} weights or more, there are {total:,}"
        )
    for name, array in weights.items():
        if array.dtype.kind not in "fi" or not np.isfinite(array).all():
            raise ValueError(f"{name} holds values that are not finite numbers")


def whole_number(settings: Mapping[str, Any], name: str) -> int:
    """A size in the settings.

    Raises:
        ValueError: it is not a whole number from 1.
    """
    value = settings[name]
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a number from 1. Received: {shortened(repr(value))}")
    return value


def _named_variables(model: Reconstructor) -> dict[str, keras.Variable]:
    """Variables by names that do not depend on Keras's names of the model and its encoder."""
    encoder = model.encoder
    named = {f"encoder/{v.path.split(f'{encoder.name}/')[-1]}": v for v in encoder.variables}
    for layer in (model.norm, model.head):
        named |= {f"{layer.name}/{v.name}": v for v in layer.variables}
    if model.spread is not None:
        for part in (model.spread.hidden, model.spread.logarithm):
            named |= {f"{part.name}/{v.name}": v for v in part.variables}
        named["spread_factor"] = model.spread.factor
        named["sharpness"] = model.sharpness
    return named


class TrainableEncoder(keras.layers.Layer):
    """Computes the output ``mean`` of the signature ``embed_pooled``, with trainable weights.

    The network gets all windows of a batch at once, as gradients need them.

    Args:
        model: the model whose encoder is taken; see :func:`load_model`.
        rules: which observations are usable.
    """

    def __init__(self, model: Reconstructor, rules: LightCurveRules = LightCurveRules()) -> None:
        # No autocast: a float32 MJD keeps 5.6 minutes only.
        super().__init__(name="pushed_encoder", autocast=False)
        self.encoder = model.encoder
        self.window_size, self.normalise = model.window_size, model.normalise
        self.rules = rules
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Embeds light curves.

        Args:
            inputs: ``mjd`` float64 [batch, steps], days; ``mag`` and ``errmag`` float32 [batch,
                steps]; ``length`` int64 [batch], real steps of each row.

        Returns:
            float32 [batch, d_model], mean over the usable steps; zeros where there is none.
        """
        mjd, mag, errmag = (inputs[name] for name in ("mjd", "mag", "errmag"))
        given = from_padded(mjd, mag, errmag, tf.cast(inputs["length"], tf.int64))
        shown = tf.ones_like(given.mag, tf.bool)
        usable = usable_values(given.mjd, given.mag, given.errmag, shown, self.rules)
        observations, shown = given.only(usable), tf.boolean_mask(shown, usable)
        periodogram = self.encoder.periodogram if self.encoder.folds else None
        windows = cut_observations(
            observations, shown, self.window_size, self.normalise, periodogram
        )
        sequence = self.encoder(**windows.inputs, training=training)
        total = pool_steps([sequence], windows.observed, MEAN)
        mean = pool_windows(total, windows.row, windows.num_observations, MEAN)[:, 0]
        return tf.ensure_shape(mean, [None, self.encoder.d_model])

    def compute_output_shape(self, input_shape: dict[str, Any]) -> tuple[Any, int]:
        return (input_shape["mjd"][0], self.encoder.d_model)


class RebuiltModel:
    """What ``tf.saved_model.load`` would give, as far as an embedder needs it.

    Args:
        folder: with ``assets.extra``.

    Attributes:
        signatures: by name, each traced when it is first asked for.

    Raises:
        ModelError: config or weights are missing, damaged or do not fit each other.
    """

    def __init__(self, folder: Path) -> None:
        config = read_config(folder)
        rules = LightCurveRules(**config["rules"])
        limits = from_dict(ServingConfig, config["serving"])
        self._module = ServingModule(load_model(folder), rules, limits)
        self.signatures = _Traced(self._module.signatures)


class _Traced(Mapping[str, Any]):
    """Concrete functions of signatures."""

    def __init__(self, signatures: Mapping[str, tf.types.experimental.PolymorphicFunction]):
        self._signatures = signatures

    def __getitem__(self, name: str) -> Any:
        # TensorFlow keeps what it has traced.
        return self._signatures[name].get_concrete_function()

    def __contains__(self, name: object) -> bool:
        return name in self._signatures  # which a Mapping would trace for

    def __iter__(self) -> Iterator[str]:
        return iter(self._signatures)

    def __len__(self) -> int:
        return len(self._signatures)
