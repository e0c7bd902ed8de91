"""Writing a classifier as a SavedModel, and reading it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from astromer.encoder.encoder import Encoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.classifier import Classifier
from astromer.finetuning.head import Head
from astromer.finetuning.label_map import LabelMap
from astromer.finetuning.module import ClassifierModule
from astromer.finetuning.weights import set_weights, weights_of
from astromer.records.config import LightCurveRules
from astromer.serving.checksums import check_whole
from astromer.serving.config import ServingConfig
from astromer.serving.export import (
    EXTRA,
    WEIGHTS,
    check_weights,
    read_config,
    whole_number,
    write_extra,
)
from astromer.system.errors import ModelError
from astromer.system.npz import DAMAGED, read_arrays
from astromer.system.small_files import read_json
from astromer.system.storage import as_path
from astromer.system.text import brief

LABEL_MAP = "label_map.json"
_HEAD = ("num_classes", "vectors", "d_model", "hidden", "dropout", "seed")


def export_classifier(
    classifier: Classifier,
    directory: str | Path,
    metadata: Mapping[str, Any] | None = None,
    rules: LightCurveRules = LightCurveRules(),
    serving: ServingConfig = ServingConfig(),
) -> Path:
    """Writes a SavedModel that any TensorFlow loader can serve.

    Args:
        classifier: the trained classifier.
        directory: must not exist yet, or be empty.
        metadata: JSON-able facts, for instance the lineage back to encoder and survey.
        rules: which observations the served model uses.
        serving: how much it takes in one request.

    Returns:
        The directory, with ``checksums.txt``. Its ``assets.extra`` holds ``config.json``,
        ``weights.npz`` and ``label_map.json``.
    """
    directory = as_path(directory)
    module = ClassifierModule(classifier, rules, serving)
    tf.saved_model.save(module, str(directory), signatures=module.signatures)
    (directory / EXTRA).mkdir(exist_ok=True)
    label_map = json.dumps(classifier.label_map.to_dict(), indent=2)
    (directory / EXTRA / LABEL_MAP).write_text(label_map + "\n", encoding="utf-8")
    write_extra(
        directory,
        classifier.model,
        weights_of(classifier),
        rules,
        serving,
        metadata or {},
        pooling=classifier.pooling,
        head={name: getattr(classifier.head, name) for name in _HEAD},
    )
    return directory


def load_classifier(directory: str | Path) -> Classifier:
    """Rebuilds the classifier of a SavedModel that :func:`export_classifier` wrote.

    Raises:
        ModelError: config, label map or weights are missing, damaged or do not fit each other.
        DamagedVersionError: files are not as they were written.
    """
    check_whole(as_path(directory))
    config = read_config(directory)
    extra = as_path(directory) / EXTRA
    try:
        weights = read_arrays(extra / WEIGHTS)
        check_weights(config, weights)
        _check_head(config["head"], sum(array.size for array in weights.values()))
        label_map = LabelMap.from_dict(read_json(extra / LABEL_MAP))
        encoder = Encoder(**config["encoder"], name="encoder")
        model = Reconstructor(encoder, config["window_size"], config["normalise"], name="astromer")
        classifier = Classifier(model, Head(**config["head"]), config["pooling"], label_map)
    except DAMAGED as error:
        raise ModelError(
            f"A classifier must hold its config, label map and weights. {extra} does not: "
            f"{brief(error)}. Fine-tune again."
        ) from error
    set_weights(classifier, weights, str(extra / WEIGHTS))
    return classifier


def _check_head(head: Mapping[str, Any], weights: int) -> None:
    """Raises ValueError where the sizes of a head need more weights than there are."""
    classes, vectors, width = (
        whole_number(head, name) for name in ("num_classes", "vectors", "d_model")
    )
    hidden = whole_number(head, "hidden") if head["hidden"] else 0
    first = hidden or classes
    if width * (2 * vectors + first) + hidden * classes > weights:
        raise ValueError(f"its head needs more than the {weights:,} weights that there are")
