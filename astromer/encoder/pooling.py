"""Pooling: from the encoder's output at every step to a few vectors for each light curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.encoder import Encoder
from astromer.encoder.folding import prepare
from astromer.encoder.inference import micro_batches_of, network_inputs
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods, find_periods
from astromer.system.terminal import progress_bar
from astromer.windows.batches import sequential_windows
from astromer.windows.masking import nothing_probed

_WINDOWS_PER_BATCH = 512


class CurveEncoder:
    """Encodes light curves with the weights that a model has at the moment of the call.

    Args:
        model: the encoder to use, with its window size and normalisation.
        head: "mean", "max" or "layers"; see :func:`pool_steps`.
    """

    def __init__(self, model: Reconstructor, head: str) -> None:
        self.model, self.head = model, head
        encoder = model.encoder

        @tf.function(input_signature=(encoder.inputs,), autograph=False)
        def run(inputs: dict[str, tf.Tensor]) -> tf.Tensor:
            return pool_steps(encoder.layer_outputs(**inputs), inputs["visible"], head)

        self._run = run

    def __call__(
        self,
        curves: LightCurves,
        periods: CurvePeriods | None = None,
        *,
        desc: str = "",
        progress: bool = False,
    ) -> Any:
        """float32 [num_curves, K, width], pooled over the observed steps of all windows.

        Args:
            curves: the light curves.
            periods: found in all their observations, for an encoder that folds; found here by
                default.
            desc: of the progress bar.
            progress: whether to show one.
        """
        model, strategy = self.model, tf.distribute.get_strategy()
        windows = sequential_windows(curves.offsets, model.window_size)
        shape = pooled_shape(self.head, model.encoder)
        if periods is None and model.encoder.folds:
            periods = find_periods(curves, config=model.encoder.periodogram, progress=progress)
        pooled = np.zeros((len(windows), *shape), np.float32)
        title = desc or "encode"
        bar = progress_bar(total=len(windows), desc=title, unit="window", disable=not progress)
        with bar:
            for first in range(0, len(windows), _WINDOWS_PER_BATCH):
                some = windows[first : first + _WINDOWS_PER_BATCH]
                probing = nothing_probed(some.length, model.window_size)
                batch = prepare(model, curves, some, probing, periods)
                inputs = network_inputs(batch)
                for part in micro_batches_of(batch, model, strategy):
                    found = self._run(part.of(inputs)).numpy()
                    pooled[first + part.rows] = found[: len(part.rows)]
                bar.update(len(some))
        return pool_windows_numpy(pooled, windows.curve, curves.lengths, self.head)


MEAN, MAX, LAYERS = "mean", "max", "layers"
_AUTO = "auto"


def pooling_of(head: str, encoder: Encoder) -> str:
    """The head itself, or what "auto" stands for: what classifies best with this encoder."""
    if head != _AUTO:
        return head
    return MEAN if encoder.folds else LAYERS


def pool_steps(layers: Sequence[tf.Tensor], observed: tf.Tensor, head: str) -> tf.Tensor:
    """Pools each window over its observed steps; padding never counts.

    Args:
        layers: float32 [num_windows, steps, d_model] each, as from ``Encoder.layer_outputs``.
        observed: bool [num_windows, steps].
        head: "mean" and "layers" sum, of the last layer or of each; "max" takes the maximum.

    Returns:
        float32 [num_windows, K, width], see :func:`pooled_shape`.
    """
    real = observed[..., None]
    if head == MAX:
        lowest = layers[-1].dtype.min
        return tf.reduce_max(tf.where(real, layers[-1], lowest), axis=1)[:, None]
    chosen = layers if head == LAYERS else layers[-1:]
    return tf.stack([tf.reduce_sum(tf.where(real, z, 0.0), axis=1) for z in chosen], axis=1)


def pool_windows(
    pooled: tf.Tensor, row: tf.Tensor, num_observations: tf.Tensor, head: str
) -> tf.Tensor:
    """Joins the windows of each light curve.

    Args:
        pooled: float32 [num_windows, K, width], from :func:`pool_steps`.
        row: int [num_windows], the light curve of each window.
        num_observations: int [num_curves], observed steps of all its windows.
        head: as in :func:`pool_steps`.

    Returns:
        float32 [num_curves, K, width]; zeros for a light curve without observations.
    """
    curves = tf.shape(num_observations, tf.int64)[0]
    row = tf.cast(row, tf.int64)
    count = tf.cast(num_observations, tf.float32)[:, None, None]
    if head == MAX:
        highest = tf.math.unsorted_segment_max(pooled, row, curves)
        return tf.where(count > 0, highest, 0.0)
    return tf.math.divide_no_nan(tf.math.unsorted_segment_sum(pooled, row, curves), count)


def pool_windows_numpy(
    pooled: np.ndarray, row: np.ndarray, num_observations: np.ndarray, head: str
) -> np.ndarray:
    """:func:`pool_windows` for arrays, in double precision."""
    shape = (len(num_observations), *pooled.shape[1:])
    if head == MAX:
        highest = np.full(shape, -np.inf)
        np.maximum.at(highest, row, pooled)
        return np.where(np.isfinite(highest), highest, 0.0).astype(np.float32)
    total = np.zeros(shape)
    np.add.at(total, row, pooled)
    return (total / np.maximum(num_observations, 1)[:, None, None]).astype(np.float32)


def pooled_shape(head: str, encoder: Encoder) -> tuple[int, int]:
    """K and width: the vectors of each light curve, and the numbers in each."""
    return (encoder.num_layers + 1 if head == LAYERS else 1), encoder.d_model
