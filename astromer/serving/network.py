"""What a trained model makes of observations, inside the graph."""

from __future__ import annotations

import tensorflow as tf

from astromer.encoder.reconstructor import Reconstructor
from astromer.records.config import LightCurveRules
from astromer.serving.chunks import Network, over_chunks
from astromer.serving.config import ServingConfig
from astromer.serving.limits import Limits
from astromer.serving.observations import OBSERVATIONS, SHOWN, Observations
from astromer.serving.pooling import Outputs, pool_steps, pool_windows
from astromer.serving.status import STATUS_OK, judge
from astromer.serving.tracing import traced
from astromer.serving.windowing import GraphWindows, cut_observations, usable_values

_WINDOWS = (
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.bool),
)


class WindowNetwork:
    """A trained model on windows that are cut from observations.

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
        # Traced once, however many signatures use them.
        self._usable = traced(OBSERVATIONS, SHOWN)(self._choose_usable)
        self._cut = traced(OBSERVATIONS, SHOWN)(self._cut_windows)
        self.encode = traced(*_WINDOWS)(lambda *inputs: model.encoder(*inputs))
        self._predict = traced(*_WINDOWS)(lambda *inputs: model.magnitudes(self.encode(*inputs)))

    def usable(
        self, observations: Observations, shown: tf.Tensor | None = None
    ) -> tuple[Observations, tf.Tensor]:
        """The usable observations, and which of them are shown (all, by default), bool [N].

        Light curves that are too long have none, and their status.

        Raises:
            tf.errors.InvalidArgumentError: when run, for more than a request may hold.
        """
        if shown is None:
            shown = tf.ones_like(observations.mag, tf.bool)
        return self._usable(observations, shown)

    def _choose_usable(
        self, observations: Observations, shown: tf.Tensor
    ) -> tuple[Observations, tf.Tensor]:
        observations, shown = self.limits.without_too_long(observations, shown)
        usable = usable_values(
            observations.mjd, observations.mag, observations.errmag, shown, self._rules
        )
        return self.limits.request(observations.only(usable)), tf.boolean_mask(shown, usable)

    def _cut_windows(self, observations: Observations, shown: tf.Tensor) -> GraphWindows:
        return cut_observations(observations, shown, self._window_size, self._normalise)

    def over_windows(
        self, observations: Observations, network: Network, outputs: tuple[tf.TensorSpec, ...]
    ) -> tuple[GraphWindows, tf.Tensor, tuple[tf.Tensor, ...]]:
        """Applies a network to the windows of the usable observations.

        Args:
            observations: of a batch of light curves.
            network, outputs: see :func:`~astromer.serving.chunks.over_chunks`.

        Returns:
            The windows, the status of each light curve, int32 [batch], and the network's results.
        """
        observations, shown = self.usable(observations)
        windows = self._cut(observations, shown)
        results = over_chunks(network, windows, outputs, self._whole)
        return windows, self._status(observations, windows), results

    def embed(self, observations: Observations) -> Outputs:
        """Embeddings pooled over the usable ones of the observations."""
        vector = tf.TensorSpec([self._d_model], tf.float32)
        windows, status, (total, highest) = self.over_windows(
            observations,
            lambda *inputs: pool_steps(self.encode(*inputs[:3]), inputs[3]),
            (vector, vector),
        )
        return pool_windows(windows, total, highest, status)

    def embed_steps(self, observations: Observations, steps: tf.Tensor) -> Outputs:
        """As :meth:`embed`, and ``sequence``, float32 [batch, steps, d_model]."""
        windows, status, (vectors,) = self.over_windows(
            observations,
            lambda *inputs: (self.encode(*inputs[:3]),),
            (tf.TensorSpec([None, self._d_model], tf.float32),),
        )
        observed = windows.observed[:, : tf.shape(vectors)[1]]
        total, highest = pool_steps(vectors, observed)
        pooled = pool_windows(windows, total, highest, status)
        place, chosen = _places(windows, observed, status)
        shape = tf.stack([tf.size(status, tf.int64), steps, self._d_model])
        sequence = tf.scatter_nd(place, tf.boolean_mask(vectors, chosen), shape)
        return {**pooled, "sequence": sequence}

    def reconstruct(
        self, observations: Observations, shown: tf.Tensor, steps: tf.Tensor
    ) -> Outputs:
        """Predicted magnitudes of usable observations, of which some, bool [N], are shown."""
        windows = self._cut(observations, shown)
        (predicted,) = over_chunks(
            lambda *inputs: (self._predict(*inputs[:3]),),
            windows,
            (tf.TensorSpec([None], tf.float32),),
            self._whole,
        )
        status = self._status(observations, windows)
        magnitude = windows.centre[:, None] + windows.scale[:, None] * predicted
        # Where nothing is visible there is no centre to add.
        anything = tf.reduce_any(windows.visible, axis=1)[:, None]
        magnitude = tf.where(anything, magnitude, float("nan"))
        place, chosen = _places(windows, windows.observed[:, : tf.shape(predicted)[1]], status)
        hidden = ~windows.visible[:, : tf.shape(predicted)[1]]
        shape = tf.stack([tf.size(status, tf.int64), steps])
        return {
            "mag": tf.tensor_scatter_nd_update(
                tf.fill(shape, float("nan")), place, tf.boolean_mask(magnitude, chosen)
            ),
            "hidden": tf.tensor_scatter_nd_update(
                tf.fill(shape, False), place, tf.boolean_mask(hidden, chosen)
            ),
            "status": status,
        }

    def _status(self, observations: Observations, windows: GraphWindows) -> tf.Tensor:
        return judge(observations.problem, windows.num_observations, self._rules.min_observations)


def _places(
    windows: GraphWindows, observed: tf.Tensor, status: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Where the observed steps of light curves without fault lie in the input.

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
