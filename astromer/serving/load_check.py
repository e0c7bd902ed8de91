"""Checks that a model server can load a SavedModel and that it answers as in Python.

``tf.saved_model.load`` does not show it, since it rebuilds what C++ loaders cannot find. Model
servers use the session loader, and so does this check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.encoding import encode_light_curve
from astromer.serving.saved_model import load_saved_model, plain_folder
from astromer.system.errors import ModelError

_SIGNATURE = "serving_default"
# The two loaders run the same graph; only the order of sums may differ.
_TOLERANCE = 1e-4
_LENGTHS = (5, 60, 250)


def check_servable(directory: str | Path, curves: LightCurves, limit: int = 4) -> dict[str, Any]:
    """Loads a SavedModel as a model server does and compares its answers with those in Python.

    Args:
        directory: folder of the SavedModel.
        curves: light curves, of which the first ``limit`` are used.

    Returns:
        "curves", the number of light curves used, and "difference", the largest in an answer.

    Raises:
        ModelError: it cannot be loaded or run, an answer is not finite, or the answers differ.
    """
    if not len(curves):
        raise ModelError(
            f"A model must be checked on light curves. Received: none, for {directory}."
        )
    examples = np.array([_example(curves[i]) for i in range(min(limit, len(curves)))], object)
    try:
        with plain_folder(directory) as folder:
            served = _run_in_session(folder, examples)
    except (tf.errors.OpError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"A model server must be able to load and run a model. {directory} it cannot: "
            f"{_reason(error)}."
        ) from error
    signature = load_saved_model(directory).signatures[_SIGNATURE]
    expected = {name: value.numpy() for name, value in signature(tf.constant(examples)).items()}
    difference = 0.0
    for name, value in expected.items():
        if value.dtype == object:  # names of classes
            if not np.array_equal(served[name], value):
                raise ModelError(
                    f"A served model must answer as in Python. {directory} differs in {name!r}."
                )
            continue
        if not (np.isfinite(served[name]).all() and np.isfinite(value).all()):
            raise ModelError(
                f"A served model must answer with finite numbers. Output {name!r} of {directory} "
                "has others."
            )
        difference = max(difference, float(np.max(np.abs(served[name] - value), initial=0.0)))
    if difference > _TOLERANCE:
        raise ModelError(
            f"A served model must answer as in Python, to {_TOLERANCE}. {directory} differs by "
            f"{difference:.2g}."
        )
    return {"curves": len(examples), "difference": difference}


def check_loads(version: Path) -> None:
    """As :func:`check_servable`, on simulated light curves.

    Raises:
        ModelError: as there.
    """
    rng = np.random.default_rng(0)
    curves = []
    for length in _LENGTHS:
        mjd = 55000 + np.sort(rng.uniform(0, 2.0 * length, length))
        mag = 15 + 0.3 * np.sin(mjd / 3) + rng.normal(0, 0.02, length)
        errmag = np.full(length, 0.02, np.float32)
        curves.append(LightCurve(mjd, mag.astype(np.float32), errmag, id=f"trial-{length}"))
    check_servable(version, LightCurves.from_curves(curves))


def _reason(error: Exception) -> str:
    """The first informative line of a TensorFlow error."""
    lines = (line.strip() for line in str(error).splitlines())
    skipped = ("Graph execution", "Detected at")
    first = next((line for line in lines if line and not line.startswith(skipped)), "")
    return first[:300] or type(error).__name__


def _run_in_session(directory: str, examples: np.ndarray) -> dict[str, np.ndarray]:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], directory)
        if _SIGNATURE not in meta.signature_def:  # indexing would insert an empty one
            raise KeyError(f"it has no signature {_SIGNATURE!r}")
        signature = meta.signature_def[_SIGNATURE]
        feed = {tensor.name: examples for tensor in signature.inputs.values()}
        fetches = {name: tensor.name for name, tensor in signature.outputs.items()}
        return session.run(fetches, feed)


def _example(curve: LightCurve) -> bytes:
    series = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
    return encode_light_curve(series, {"ID": curve.id})
