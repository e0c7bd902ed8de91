"""A classifier as it is served: raw light curves in, class probabilities out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.encoder import Encoder
from astromer.encoder.pooling import pool_steps, pool_windows
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.classifier import AnyHead, Classifier, Head
from astromer.finetuning.config import MLP, TREES
from astromer.finetuning.forest_head import ForestHead, check_tables, tables_of
from astromer.finetuning.labelled_data import Dataset, LabelMap, classification_scores
from astromer.light_curves import LightCurves
from astromer.periodogram.graph_periods import find_periods_graph
from astromer.records.config import LightCurveRules
from astromer.serving.checksums import check_undamaged
from astromer.serving.config import ServingConfig
from astromer.serving.curve_features import curve_features
from astromer.serving.embedder import padded_arguments
from astromer.serving.export import check_weights, whole_number, write_extra
from astromer.serving.graph_input import (
    OBSERVATIONS,
    PADDED,
    STATUS_OK,
    GraphObservations,
    after,
    from_padded,
    from_ragged,
    parse_examples,
    traced,
)
from astromer.serving.network import Outputs, WindowNetwork
from astromer.serving.saved_model import EXTRA, WEIGHTS, load_saved_model, read_config
from astromer.serving.windowing import GraphWindows, visible_series
from astromer.system.errors import ModelError
from astromer.system.storage import as_path
from astromer.system.text import brief
from astromer.system.untrusted_files import READ_ERRORS, read_arrays, read_json

LABEL_MAP = "label_map.json"
_NO_LABEL = -1
_CURVES_PER_CALL = 64


class ClassifierModule(tf.Module):
    """Signatures of a classifier. Light curves may be of any length, and in any order of time.

    ``serving_default(examples)``: string [batch], serialized SequenceExamples as in fold records.
    ``classify(mjd, mag, errmag, length)``: float64 and float32 [batch, steps], padded in any way to
    equal length; int64 [batch], real steps of each row.

    Both return, for each light curve:
        probabilities: float32 [batch, num_classes], in the order of the label map.
        label: int64 [batch], the survey's number of the most probable class.
        class_name: string [batch], its name.
        status: int32 [batch], see :mod:`astromer.serving.graph_input`; where it is not 0,
            probabilities are zero, the label is -1 and the name empty.

    Args:
        classifier: the trained classifier.
        rules: which observations are usable, and how many a light curve needs.
        serving: the limits of light curves and requests, see :mod:`astromer.serving.graph_input`.
    """

    def __init__(
        self,
        classifier: Classifier,
        rules: LightCurveRules = LightCurveRules(),
        serving: ServingConfig = ServingConfig(),
    ):
        super().__init__(name="astromer_classifier")
        # The variables and not the Keras layers: a SavedModel that tracks those loads in Python
        # only ("Could not find variable" in every C++ loader).
        self.model_variables = [variable.value for variable in classifier.variables]
        head, pooling, encoder = classifier.head, classifier.pooling, classifier.model.encoder
        network = WindowNetwork(classifier.model, rules, serving)
        names = tf.constant([*classifier.label_map.names, ""])
        labels = tf.constant([*classifier.label_map.labels, _NO_LABEL], tf.int64)
        nothing = len(classifier.label_map)

        def features(observations: GraphObservations, windows: GraphWindows) -> tf.Tensor:
            periods, series = windows.periods, windows.series
            if periods is None or series is None:
                series, _ = visible_series(*network.usable(observations))
                periods = find_periods_graph(*series, config=encoder.periodogram)
            return curve_features(*series, periods)

        @traced(OBSERVATIONS)
        def classified(observations: GraphObservations) -> Outputs:
            windows, status, (pooled,) = network.over_windows(
                observations,
                lambda inputs, observed: (
                    pool_steps(encoder.layer_outputs(**inputs), observed, pooling),
                ),
                (tf.TensorSpec([head.vectors, head.d_model], tf.float32),),
            )
            pooled = tf.ensure_shape(pooled, [None, head.vectors, head.d_model])
            vectors = pool_windows(pooled, windows.row, windows.num_observations, pooling)
            beside = (
                features(observations, windows)
                if head.beside
                else tf.zeros([tf.size(status), 0], tf.float32)
            )
            fine = status == STATUS_OK
            probabilities = tf.where(fine[:, None], tf.nn.softmax(head(vectors, beside)), 0.0)
            index = tf.where(fine, tf.argmax(probabilities, axis=1), nothing)
            return {
                "probabilities": probabilities,
                "label": tf.gather(labels, index),
                "class_name": tf.gather(names, index),
                "status": status,
            }

        @traced(*PADDED)
        def classify(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
        ) -> Outputs:
            return classified(from_padded(mjd, mag, errmag, length))

        @traced(tf.TensorSpec([None], tf.string, "examples"))
        def classify_examples(examples: tf.Tensor) -> Outputs:
            check = network.limits.batch(tf.size(examples, tf.int64))
            curves, readable = parse_examples(*after([check], examples))
            return classified(from_ragged(*curves, readable))

        self.classify_curves = classify
        self.classify_examples = classify_examples

    @property
    def signatures(self) -> dict:
        """Signatures by name, for ``tf.saved_model.save``."""
        return {"serving_default": self.classify_examples, "classify": self.classify_curves}


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
        serving: its limits on light curves and requests.

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
        classifier.get_weights(),
        rules,
        serving,
        metadata or {},
        pooling=classifier.pooling,
        head=classifier.head.settings,
    )
    return directory


def load_classifier(directory: str | Path) -> Classifier:
    """Rebuilds the classifier of a SavedModel that :func:`export_classifier` wrote.

    Raises:
        ModelError: config, label map or weights are missing, damaged or do not fit each other.
        DamagedVersionError: files are not as they were written.
    """
    check_undamaged(as_path(directory))
    config = read_config(directory)
    extra = as_path(directory) / EXTRA
    try:
        weights = read_arrays(extra / WEIGHTS)
        check_weights(config, weights)
        head = _make_head(config["head"], weights)
        label_map = LabelMap.from_dict(read_json(extra / LABEL_MAP))
        encoder = Encoder(**config["encoder"], name="encoder")
        model = Reconstructor(encoder, config["window_size"], config["normalise"], name="astromer")
        classifier = Classifier(model, head, config["pooling"], label_map)
    except READ_ERRORS as error:
        raise ModelError(
            f"A classifier must hold its config, label map and weights. {extra} does not: "
            f"{brief(error)}. Fine-tune again."
        ) from error
    classifier.set_weights(weights, str(extra / WEIGHTS))
    return classifier


def _make_head(settings: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> AnyHead:
    """The head of a classifier that was written, with fresh weights.

    Raises:
        ValueError: its sizes need more weights than there are, or its trees lead nowhere.
    """
    settings = dict(settings)
    if settings.pop("kind", MLP) == TREES:
        tables = {name: weights[f"head/{name}"] for name in tables_of(settings)}
        check_tables(settings, tables)
        return ForestHead(**settings, name="head")
    _check_sizes(settings, sum(array.size for array in weights.values()))
    return Head(**settings)


def _check_sizes(head: Mapping[str, Any], weights: int) -> None:
    """Raises ValueError where the sizes of a head need more weights than there are."""
    classes, vectors, width = (
        whole_number(head, name) for name in ("num_classes", "vectors", "d_model")
    )
    hidden = whole_number(head, "hidden") if head["hidden"] else 0
    first = hidden or classes
    beside = whole_number(head, "beside") if head.get("beside") else 0
    if width * (2 * vectors + first) + beside * (2 + first) + hidden * classes > weights:
        raise ValueError(f"its head needs more than the {weights:,} weights that there are")


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
    check_undamaged(as_path(directory))
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
        answer = classify(**padded_arguments(curves.take(rows), 0, len(rows), None))
        for row, name in zip(rows.tolist(), answer["class_name"].numpy()):
            names[row] = name.decode()
    return names
