"""What an exported classifier answers about light curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.finetuning.dataset import Dataset
from astromer.finetuning.scores import classification_scores
from astromer.light_curves import LightCurves
from astromer.serving.checksums import check_whole
from astromer.serving.export import EXTRA
from astromer.serving.saved_models import load_saved_model
from astromer.system.errors import ModelError
from astromer.system.storage import as_path
from astromer.system.text import brief

_CURVES_PER_CALL = 64


def served_scores(directory: str | Path, dataset: Dataset) -> dict[str, Any]:
    """Scores of a SavedModel's answers on the test split; see :func:`classification_scores`.

    Raises:
        ModelError: it cannot be loaded, or knows other classes.
    """
    curves, true = dataset.curves["test"], dataset.classes["test"]
    names = served_classes(directory, curves)
    index = {name: number for number, name in enumerate(dataset.label_map.names)}
    unknown = sorted(set(names) - set(index))
    if unknown:
        raise ModelError(
            f"A classifier must answer with the classes of train. {directory} answers "
            f"{', '.join(map(repr, unknown[:5]))}. Fine-tune again; its classes are in "
            f"{EXTRA}/label_map.json."
        )
    predicted = np.array([index[name] for name in names], np.int64)
    return classification_scores(true, predicted, dataset.label_map)


def served_classes(directory: str | Path, curves: LightCurves) -> list[str]:
    """The class name that a SavedModel gives each light curve; "" for one that is too short."""
    check_whole(as_path(directory))
    try:
        loaded = load_saved_model(directory)
        classify = loaded.signatures["classify"]
    except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
        raise ModelError(
            f"A classifier must load and have a 'classify' signature. {directory}: {brief(error)}. "
            "Fine-tune again."
        ) from error
    names: list[str] = [""] * len(curves)
    order = np.argsort(curves.lengths, kind="stable")
    for first in range(0, len(order), _CURVES_PER_CALL):
        rows = order[first : first + _CURVES_PER_CALL]
        answer = classify(**_padded(curves.take(rows)))
        for row, name in zip(rows.tolist(), answer["class_name"].numpy()):
            names[row] = name.decode()
    return names


def _padded(curves: LightCurves) -> dict[str, tf.Tensor]:
    """The arguments of the ``classify`` signature."""
    step = np.arange(max(int(curves.lengths.max(initial=0)), 1))
    inside = step[None, :] < curves.lengths[:, None]
    index = np.where(inside, curves.offsets[:-1, None] + step, 0)
    return {
        "mjd": tf.constant(np.where(inside, curves.mjd[index], 0.0)),
        "mag": tf.constant(np.where(inside, curves.mag[index], np.float32(0))),
        "errmag": tf.constant(np.where(inside, curves.errmag[index], np.float32(0))),
        "length": tf.constant(curves.lengths.astype(np.int64)),
    }
