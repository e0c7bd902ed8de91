"""Whether a model server could load a SavedModel and would answer as Python does.

``tf.saved_model.load`` is no proof: it rebuilds what C++ loaders cannot find. Model servers
use the session loader, and so does this check.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurves
from astromer.records.codec import encode_light_curve
from astromer.serving.saved_models import load_saved_model, plain_folder
from astromer.system.errors import ModelError

_SIGNATURE = "serving_default"
# The two loaders run the same graph; only the order of sums may differ.
_TOLERANCE = 1e-4


def check_servable(directory: str | Path, curves: LightCurves, limit: int = 4) -> dict[str, Any]:
    """Loads a SavedModel as a model server does and compares its answers with Python's.

    Args:
        directory: folder of the SavedModel.
        curves: light curves to ask about; the first ``limit`` are used.

    Returns:
        "curves", how many were asked about, and "difference", the largest one seen.

    Raises:
        ModelError: if it cannot be loaded or run, answers with something that is not finite,
            or answers otherwise than Python does.
    """
    if not len(curves):
        raise ModelError(f"A model must be checked on light curves. Received none for {directory}.")
    examples = np.array([_example(curves, i) for i in range(min(limit, len(curves)))], object)
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
                f"A served model must answer with finite numbers. {directory} does not, in "
                f"{name!r}."
            )
        difference = max(difference, float(np.max(np.abs(served[name] - value), initial=0.0)))
    if difference > _TOLERANCE:
        raise ModelError(
            f"A served model must answer as in Python, to {_TOLERANCE}. {directory} differs by "
            f"{difference:.2g}."
        )
    return {"curves": len(examples), "difference": difference}


def _reason(error: Exception) -> str:
    """The line of a TensorFlow error that says something."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [
        line for line in lines if line and not line.startswith(("Graph execution", "Detected at"))
    ]
    return told[0][:300] if told else type(error).__name__


def _run_in_session(directory: str, examples: np.ndarray) -> dict[str, np.ndarray]:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta = tf.compat.v1.saved_model.load(session, ["serve"], directory)
        if _SIGNATURE not in meta.signature_def:  # indexing would make an empty one
            raise KeyError(f"it has no signature {_SIGNATURE!r}")
        signature = meta.signature_def[_SIGNATURE]
        feed = {tensor.name: examples for tensor in signature.inputs.values()}
        fetches = {name: tensor.name for name, tensor in signature.outputs.items()}
        return session.run(fetches, feed)


def _example(curves: LightCurves, index: int) -> bytes:
    curve = curves[index]
    series = {"mjd": curve.mjd, "mag": curve.mag, "errmag": curve.errmag}
    return encode_light_curve(series, {"ID": curve.id})
