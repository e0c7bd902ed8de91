"""The weights of a classifier by names that do not depend on what Keras called its layers."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from astromer.finetuning.classifier import Classifier
from astromer.system.errors import ModelError


def weights_of(classifier: Classifier) -> dict[str, np.ndarray]:
    """A copy of every weight of encoder and head."""
    return {name: np.array(variable) for name, variable in _named(classifier).items()}


def set_weights(classifier: Classifier, weights: Mapping[str, np.ndarray], source: str) -> None:
    """Sets every weight.

    Args:
        classifier: of the same shape.
        weights: from :func:`weights_of`.
        source: where they were read from, for the message.

    Raises:
        ModelError: one is missing, not expected or of another shape.
    """
    variables = _named(classifier)
    expected = {name: tuple(variable.shape) for name, variable in variables.items()}
    received = {name: array.shape for name, array in weights.items()}
    if expected != received:
        wrong = sorted({name for name, _ in set(expected.items()) ^ set(received.items())})
        raise ModelError(
            f"Weights must fit the config. In {source} these differ: {', '.join(wrong[:8])}. "
            "Fine-tune again."
        )
    for name, variable in variables.items():
        variable.assign(weights[name])


def _named(classifier: Classifier) -> dict[str, keras.Variable]:
    encoder, head = classifier.model.encoder, classifier.head
    named = {f"encoder/{v.path.split(f'{encoder.name}/')[-1]}": v for v in encoder.variables}
    for name in ("centre", "spread", "layer_logits"):
        named[f"head/{name}"] = getattr(head, name)
    for layer in head.dense:
        named[f"head/{layer.name}/kernel"] = layer.kernel
        named[f"head/{layer.name}/bias"] = layer.bias
    return named
