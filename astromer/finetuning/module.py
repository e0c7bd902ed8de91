"""A classifier as it is served: raw light curves in, class probabilities out."""

from __future__ import annotations

import tensorflow as tf

from astromer.finetuning.classifier import Classifier
from astromer.finetuning.pooling import pool_steps, pool_windows
from astromer.records.codec import parse_light_curves
from astromer.serving.tracing import traced
from astromer.serving.windowing import GraphWindows, cut_windows, usable_steps
from pipeline_config import LightCurveRules

STATUS_OK, STATUS_TOO_SHORT = 0, 1
NO_LABEL = -1
_WINDOWS_PER_CHUNK = 64  # bounds the memory of attention, whatever the batch

Outputs = dict[str, tf.Tensor]

_CURVES = (
    tf.TensorSpec([None, None], tf.float64, "mjd"),
    tf.TensorSpec([None, None], tf.float32, "mag"),
    tf.TensorSpec([None, None], tf.float32, "errmag"),
    tf.TensorSpec([None], tf.int64, "length"),
)


class ClassifierModule(tf.Module):
    """Signatures of a classifier. Light curves may be of any length, and in any order of time.

    ``serving_default(examples)``: string [batch], serialized SequenceExamples as in fold records.
    ``classify(mjd, mag, errmag, length)``: float64 and float32 [batch, steps], padded in any way to
    equal length; int64 [batch], real steps of each row.

    Both return, for each light curve:
        probabilities: float32 [batch, num_classes], in the order of the label map.
        label: int64 [batch], the survey's number of the most probable class.
        class_name: string [batch], its name.
        status: int32 [batch]; 0 = fine, 1 = fewer than 5 usable observations: probabilities of
            zero, label -1 and an empty name.

    Args:
        classifier: the trained classifier.
        rules: which observations are usable, and how many a light curve needs.
    """

    def __init__(self, classifier: Classifier, rules: LightCurveRules = LightCurveRules()):
        super().__init__(name="astromer_classifier")
        # The variables and not the Keras layers: a SavedModel that tracks those loads in Python
        # only ("Could not find variable" in every C++ loader).
        self.model_variables = [variable.value for variable in classifier.variables]
        model, head, pooling = classifier.model, classifier.head, classifier.pooling
        encoder = model.encoder
        names = tf.constant([*classifier.label_map.names, ""])
        labels = tf.constant([*classifier.label_map.labels, NO_LABEL], tf.int64)
        nothing = len(classifier.label_map)

        def pooled_steps(times: tf.Tensor, magnitudes: tf.Tensor, visible: tf.Tensor) -> tf.Tensor:
            return pool_steps(encoder.layer_outputs(times, magnitudes, visible), visible, pooling)

        @traced(*_CURVES)
        def classify(
            mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, length: tf.Tensor
        ) -> Outputs:
            shown = tf.ones_like(mag, tf.bool)
            usable = usable_steps(mjd, mag, errmag, length, shown, rules)
            windows = cut_windows(mjd, mag, usable, shown, model.window_size, model.normalise)
            pooled = _over_chunks(pooled_steps, windows)
            pooled = tf.ensure_shape(pooled, [None, head.vectors, encoder.d_model])
            features = pool_windows(pooled, windows.row, windows.num_observations, pooling)
            fine = windows.num_observations >= rules.min_observations
            probabilities = tf.where(fine[:, None], tf.nn.softmax(head(features)), 0.0)
            index = tf.where(fine, tf.argmax(probabilities, axis=1), nothing)
            return {
                "probabilities": probabilities,
                "label": tf.gather(labels, index),
                "class_name": tf.gather(names, index),
                "status": tf.where(fine, STATUS_OK, STATUS_TOO_SHORT),
            }

        @traced(tf.TensorSpec([None], tf.string, "examples"))
        def classify_examples(examples: tf.Tensor) -> Outputs:
            parsed = parse_light_curves(examples)
            # Rows of unequal lists are cut to the shortest: pairs beyond it do not exist.
            length = tf.minimum(
                parsed.mjd.row_lengths(),
                tf.minimum(parsed.mag.row_lengths(), parsed.errmag.row_lengths()),
            )
            width = tf.reduce_max(tf.pad(length, [[0, 1]]))
            mjd, mag, errmag = (
                ragged.to_tensor(shape=tf.stack([tf.constant(-1, width.dtype), width]))
                for ragged in (parsed.mjd, parsed.mag, parsed.errmag)
            )
            return classify(mjd, mag, errmag, tf.cast(length, tf.int64))

        self.classify_curves = classify
        self.classify_examples = classify_examples

    @property
    def signatures(self) -> dict:
        """Signatures by name, for ``tf.saved_model.save``."""
        return {"serving_default": self.classify_examples, "classify": self.classify_curves}


def _over_chunks(function: tf.types.experimental.Callable, windows: GraphWindows) -> tf.Tensor:
    """Applies the network to a bounded number of windows at a time."""
    count = tf.shape(windows.times)[0]
    chunks = tf.maximum((count + _WINDOWS_PER_CHUNK - 1) // _WINDOWS_PER_CHUNK, 1)
    size = tf.maximum((count + chunks - 1) // chunks, 1)

    def divided(values: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(values, [[0, chunks * size - count], [0, 0]])
        return tf.reshape(padded, [chunks, size, values.shape[1]])

    inputs = tuple(divided(v) for v in (windows.times, windows.magnitudes, windows.visible))
    result = tf.map_fn(
        lambda some: function(*some),
        inputs,
        fn_output_signature=tf.float32,
        parallel_iterations=1,
    )
    return tf.reshape(result, tf.concat([[chunks * size], tf.shape(result)[2:]], axis=0))[:count]
