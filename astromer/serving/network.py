"""A trained model applied to the windows of light curves, inside the graph."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from astromer.encoder.order import whole_lanes
from astromer.encoder.pooling import MAX, MEAN, pool_steps, pool_windows
from astromer.encoder.reconstructor import Reconstructor
from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.serving.curve_features import curve_features
from astromer.serving.graph_input import (
    OBSERVATIONS,
    SHOWN,
    STATUS_OK,
    GraphObservations,
    Limits,
    curve_status,
    traced,
)
from astromer.serving.windowing import GraphWindows, cut_observations, usable_values

# Steps that the network gets at once, times its width, whatever the batch; bounds its memory. The
# time differs by a tenth from 8 to 64 windows of 200, and fewer are padded less.
NUMBERS_PER_CHUNK = 409_600

KNOWN = tf.TensorSpec([None], tf.float64, "period")
Outputs = dict[str, tf.Tensor]
Network = Callable[[dict[str, tf.Tensor], tf.Tensor], tuple[tf.Tensor, ...]]


class WindowNetwork:
    """A trained model that works on windows, which it cuts from observations.

    Args:
        model: the trained model.
        rules: which observations are usable, and how many a light curve needs.
        serving: the limits of light curves and requests.
    """

    def __init__(self, model: Reconstructor, rules: LightCurveRules, serving: ServingConfig):
        self._window_size, self._normalise = model.window_size, model.normalise
        self._rules = rules
        self._d_model = model.encoder.d_model
        self.limits = Limits(serving, model.window_size, self._d_model)
        self._whole = model.encoder.quirks is not None  # public weights read the padding, too
        # Traced once for all signatures.
        self._usable = traced(OBSERVATIONS, SHOWN)(self._select_usable)
        self._cut = traced(OBSERVATIONS, SHOWN, KNOWN)(self._cut_windows)
        inputs = model.encoder.inputs
        self.encode = traced(inputs)(lambda inputs: model.encoder(**inputs))
        self._has_spread = model.spread is not None
        self._predict = traced(inputs)(
            lambda inputs: model.with_spread(**inputs) if self._has_spread else (model(**inputs),)
        )
        self._periodogram = model.encoder.periodogram if model.encoder.folds else None

    def usable(
        self, observations: GraphObservations, shown: tf.Tensor | None = None
    ) -> tuple[GraphObservations, tf.Tensor]:
        """The usable observations, and whether each is shown (all, by default), bool [N].

        A light curve that is too long has none, and the status for it.

        Raises:
            tf.errors.InvalidArgumentError: at run time, if a limit of the request is exceeded.
        """
        if shown is None:
            shown = tf.ones_like(observations.mag, tf.bool)
        return self._usable(observations, shown)

    def _select_usable(
        self, observations: GraphObservations, shown: tf.Tensor
    ) -> tuple[GraphObservations, tf.Tensor]:
        observations, shown = self.limits.without_too_long(observations, shown)
        usable = usable_values(
            observations.mjd, observations.mag, observations.errmag, shown, self._rules
        )
        return self.limits.request(observations.only(usable)), tf.boolean_mask(shown, usable)

    def _cut_windows(
        self, observations: GraphObservations, shown: tf.Tensor, known: tf.Tensor
    ) -> GraphWindows:
        return cut_observations(
            observations, shown, self._window_size, self._normalise, self._periodogram, known
        )

    def over_windows(
        self,
        observations: GraphObservations,
        network: Network,
        outputs: tuple[tf.TensorSpec, ...],
        known: tf.Tensor | None = None,
    ) -> tuple[GraphWindows, tf.Tensor, tuple[tf.Tensor, ...]]:
        """Applies a network to the windows of the usable observations.

        Args:
            observations: of a batch of light curves.
            network, outputs: see :func:`over_chunks`.
            known: float64 [batch], periods [days] to fold at; they are searched by default.

        Returns:
            The windows, the status of each light curve, int32 [batch], and the network's results.
        """
        observations, shown = self.usable(observations)
        windows = self._cut(observations, shown, _or_unknown(known, observations))
        results = over_chunks(network, windows, outputs, self._d_model, self._whole)
        return windows, self._status(observations, windows), results

    def embed(self, observations: GraphObservations, known: tf.Tensor | None = None) -> Outputs:
        """Embeddings of the light curves, pooled over their usable observations.

        A model that folds also gives features and periods, see :meth:`_found`.
        """
        vector = tf.TensorSpec([1, self._d_model], tf.float32)
        windows, status, (total, highest) = self.over_windows(
            observations,
            lambda inputs, observed: _pool_steps(self.encode(inputs), observed),
            (vector, vector),
            known,
        )
        pooled = _pool_windows(windows, total, highest, status)
        if self._periodogram is None:
            return pooled
        return pooled | self._found(windows, pooled["mean"], status)

    def _found(self, windows: GraphWindows, mean: tf.Tensor, status: tf.Tensor) -> Outputs:
        """What folding adds to the answer of a signature."""
        periods, series = windows.periods, windows.series
        assert periods is not None
        assert series is not None
        ok = status == STATUS_OK
        nothing = tf.constant(float("nan"), tf.float64)
        there = ok[:, None] & (periods.frequencies > 0)
        vectors = tf.concat([mean, curve_features(*series, periods)], axis=1)
        return {
            "embedding": tf.where(ok[:, None], vectors, 0.0),
            "periods": tf.where(there, 1 / periods.frequencies, nothing),
            "powers": tf.where(ok[:, None], periods.powers, nothing),
            "false_alarm": tf.where(ok, periods.false_alarm, nothing),
        }

    def embed_steps(self, observations: GraphObservations, steps: tf.Tensor) -> Outputs:
        """As :meth:`embed`, and ``sequence``, float32 [batch, steps, d_model]."""
        windows, status, (vectors,) = self.over_windows(
            observations,
            lambda inputs, observed: (self.encode(inputs),),
            (tf.TensorSpec([None, self._d_model], tf.float32),),
        )
        observed = windows.observed[:, : tf.shape(vectors)[1]]
        total, highest = _pool_steps(vectors, observed)
        index, chosen = _input_index(windows, observed, status)
        shape = tf.stack([tf.size(status, tf.int64), steps, self._d_model])
        sequence = tf.scatter_nd(index, tf.boolean_mask(vectors, chosen), shape)
        return {**_pool_windows(windows, total, highest, status), "sequence": sequence}

    def reconstruct(
        self, observations: GraphObservations, shown: tf.Tensor, steps: tf.Tensor
    ) -> Outputs:
        """Predicts the magnitudes of usable observations from those that are shown, bool [N].

        A model with a spread also gives ``sigma``.
        """
        windows = self._cut(observations, shown, _or_unknown(None, observations))
        predicted, *spread = over_chunks(
            lambda inputs, observed: tuple(self._predict(inputs)),
            windows,
            (tf.TensorSpec([None], tf.float32),) * (1 + self._has_spread),
            self._d_model,
            self._whole,
        )
        status = self._status(observations, windows)
        scale = windows.scale[:, None]
        magnitude = windows.centre[:, None] + scale * predicted
        # A window without a visible step has no centre.
        centred = tf.reduce_any(windows.visible, axis=1)[:, None]
        length = tf.shape(predicted)[1]
        index, chosen = _input_index(windows, windows.observed[:, :length], status)
        hidden = ~windows.visible[:, :length]
        shape = tf.stack([tf.size(status, tf.int64), steps])

        def placed(values: tf.Tensor) -> tf.Tensor:
            found = tf.boolean_mask(tf.where(centred, values, float("nan")), chosen)
            return tf.tensor_scatter_nd_update(tf.fill(shape, float("nan")), index, found)

        return {
            "mag": placed(magnitude),
            **({"sigma": placed(scale * spread[0])} if spread else {}),
            "hidden": tf.tensor_scatter_nd_update(
                tf.fill(shape, False), index, tf.boolean_mask(hidden, chosen)
            ),
            "status": status,
        }

    def _status(self, observations: GraphObservations, windows: GraphWindows) -> tf.Tensor:
        least = self._rules.min_observations
        return curve_status(observations.problem, windows.num_observations, least)


def _or_unknown(known: tf.Tensor | None, observations: GraphObservations) -> tf.Tensor:
    """float64 [batch], zeros by default."""
    return tf.zeros_like(observations.problem, tf.float64) if known is None else known


def over_chunks(
    network: Network,
    windows: GraphWindows,
    outputs: tuple[tf.TensorSpec, ...],
    width: int,
    whole: bool,
) -> tuple[tf.Tensor, ...]:
    """Applies a network to chunks of windows of similar length, padded to the longest in the chunk.

    Args:
        network: called with the inputs of some windows by name, and observed, bool [some, steps];
            each result starts with [some] or [some, steps], as ``outputs`` says.
        windows: the windows.
        outputs: the shape of each result after the first dimension. Where it starts with None, the
            result has the steps of the longest window, and 0 beyond those of its chunk.
        width: of the network.
        whole: do not shorten windows: public weights read the padding, too.

    Returns:
        The results, [num_windows, ...], in the order of the windows.
    """
    window_size = windows.times.shape[1]
    length = tf.math.count_nonzero(windows.observed, axis=1, dtype=tf.int32)
    longest = window_size if whole else _padded(tf.reduce_max(length), window_size)
    most = tf.maximum(NUMBERS_PER_CHUNK // width // longest, 1)
    count = tf.size(length)
    chunks = tf.maximum((count + most - 1) // most, 1)
    size = tf.maximum((count + chunks - 1) // chunks, 1)
    order = tf.argsort(length, direction="DESCENDING", stable=True)

    def in_chunks(values: tf.Tensor) -> tf.Tensor:
        more = [[0, 0]] * (len(values.shape) - 1)
        ordered = tf.pad(tf.gather(values, order), [[0, chunks * size - count], *more])
        return tf.reshape(ordered, tf.concat([[chunks, size], tf.shape(values)[1:]], axis=0))

    def of_chunk(chunk: tuple[dict[str, tf.Tensor], tf.Tensor]) -> tuple[tf.Tensor, ...]:
        inputs, observed = chunk
        most_steps = tf.reduce_max(tf.math.count_nonzero(observed, axis=1, dtype=tf.int32))
        steps = window_size if whole else _padded(most_steps, window_size)
        inputs = {
            # What has one step is of the whole window.
            name: values if values.shape[1] == 1 and window_size > 1 else values[:, :steps]
            for name, values in inputs.items()
        }
        results = network(inputs, observed[:, :steps])
        return tuple(
            _pad_steps(result, longest - steps) if spec.shape.as_list()[:1] == [None] else result
            for result, spec in zip(results, outputs, strict=True)
        )

    results = tf.map_fn(
        of_chunk,
        tf.nest.map_structure(in_chunks, (windows.inputs, windows.observed)),
        fn_output_signature=tuple(
            tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in outputs
        ),
        parallel_iterations=1,
    )
    original_order = tf.argsort(order)
    return tuple(
        tf.gather(
            tf.reshape(result, tf.concat([[chunks * size], tf.shape(result)[2:]], axis=0)),
            original_order,
        )
        for result in results
    )


def _padded(length: tf.Tensor, window_size: int) -> tf.Tensor:
    return tf.minimum(whole_lanes(tf.maximum(length, 1)), window_size)


def _pad_steps(values: tf.Tensor, more: tf.Tensor) -> tf.Tensor:
    return tf.pad(values, [[0, 0], [0, more], *[[0, 0]] * (len(values.shape) - 2)])


def _pool_steps(sequence: tf.Tensor, observed: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Sum and maximum over the observed steps of each window, float32 [num_windows, 1, d_model]."""
    return tuple(pool_steps([sequence], observed, head) for head in (MEAN, MAX))


def _pool_windows(
    windows: GraphWindows, total: tf.Tensor, highest: tf.Tensor, status: tf.Tensor
) -> Outputs:
    """Embeddings of light curves, from the results of :func:`_pool_steps`; zeros without OK."""
    mean, most = (
        pool_windows(vectors, windows.row, windows.num_observations, head)[:, 0]
        for vectors, head in ((total, MEAN), (highest, MAX))
    )
    ok = (status == STATUS_OK)[:, None]
    ones = tf.ones_like(windows.row)
    batch = tf.size(status, tf.int64)
    return {
        "mean": tf.where(ok, mean, 0.0),
        "max": tf.where(ok, most, 0.0),
        "num_observations": windows.num_observations,
        "num_windows": tf.math.unsorted_segment_sum(ones, windows.row, batch),
        "status": status,
    }


def _input_index(
    windows: GraphWindows, observed: tf.Tensor, status: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Indices, in the input, of the observed steps of light curves with status 0.

    Args:
        windows: the windows.
        observed: bool [num_windows, steps], the first steps of ``windows.observed``.
        status: int32 [batch].

    Returns:
        int64 [n, 2], row and position, and bool [num_windows, steps], the n steps.
    """
    chosen = observed & (tf.gather(status, windows.row) == STATUS_OK)[:, None]
    position = windows.position[:, : tf.shape(observed)[1]]
    row = tf.broadcast_to(windows.row[:, None], tf.shape(position))
    return tf.boolean_mask(tf.stack([row, position], axis=-1), chosen), chosen
