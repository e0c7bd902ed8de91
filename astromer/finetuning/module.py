"""A classifier as it is served: raw light curves in, class probabilities out."""

from __future__ import annotations

import tensorflow as tf

from astromer.encoder.pooling import pool_steps, pool_windows
from astromer.finetuning.classifier import Classifier
from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.serving.network import WindowNetwork
from astromer.serving.observations import (
    OBSERVATIONS,
    PADDED,
    Observations,
    after,
    from_padded,
    from_ragged,
    parse_examples,
)
from astromer.serving.pooling import Outputs
from astromer.serving.status import STATUS_OK
from astromer.serving.tracing import traced

NO_LABEL = -1


class ClassifierModule(tf.Module):
    """Signatures of a classifier. Light curves may be of any length, and in any order of time.

    ``serving_default(examples)``: string [batch], serialized SequenceExamples as in fold records.
    ``classify(mjd, mag, errmag, length)``: float64 and float32 [batch, steps], padded in any way to
    equal length; int64 [batch], real steps of each row.

    Both return, for each light curve:
        probabilities: float32 [batch, num_classes], in the order of the label map.
        label: int64 [batch], the survey's number of the most probable class.
        class_name: string [batch], its name.
        status: int32 [batch], see :mod:`astromer.serving.status`; where it is not 0,
            probabilities are zero, the label is -1 and the name empty.

    Args:
        classifier: the trained classifier.
        rules: which observations are usable, and how many a light curve needs.
        serving: the limits of light curves and requests, see :mod:`astromer.serving.limits`.
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
        labels = tf.constant([*classifier.label_map.labels, NO_LABEL], tf.int64)
        nothing = len(classifier.label_map)

        @traced(OBSERVATIONS)
        def classified(observations: Observations) -> Outputs:
            windows, status, (pooled,) = network.over_windows(
                observations,
                lambda *inputs: (
                    pool_steps(encoder.layer_outputs(*inputs[:3]), inputs[3], pooling),
                ),
                (tf.TensorSpec([head.vectors, encoder.d_model], tf.float32),),
            )
            pooled = tf.ensure_shape(pooled, [None, head.vectors, encoder.d_model])
            features = pool_windows(pooled, windows.row, windows.num_observations, pooling)
            fine = status == STATUS_OK
            probabilities = tf.where(fine[:, None], tf.nn.softmax(head(features)), 0.0)
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
