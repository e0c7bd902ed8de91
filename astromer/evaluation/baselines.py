"""Two predictions without training that a reconstruction must beat.

Both read the truthful steps only: unlike the network, they know which visible steps show another
step's magnitude.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from astromer.windows.batches import Batch

BASELINE_TITLES = {"mean": "mean of the window", "interpolation": "linear interpolation"}
"""Their names in tables and plots."""


def window_mean(batch: Batch) -> np.ndarray:
    """The mean magnitude of the truthful steps: zero, since magnitudes are centred on it.

    Returns:
        float32 [num_windows, window_size], centred and scaled like ``batch.target``.
    """
    return np.zeros_like(batch.target)


def linear_interpolation(batch: Batch) -> np.ndarray:
    """Error-weighted linear interpolation between the nearest truthful steps in time.

    Between neighbours a and b, the weight of a is (t_b - t) / (t_b - t_a) / errmag_a^2, and
    likewise for b: with equal errors this is linear interpolation. Beyond the first and the
    last truthful step the nearest one is repeated.

    Returns:
        float32 [num_windows, window_size], centred and scaled like ``batch.target``.
    """
    truthful = batch.probing.truthful
    steps = np.arange(truthful.shape[1])
    before = np.maximum.accumulate(np.where(truthful, steps, -1), axis=1)
    after = np.where(truthful, steps, len(steps))
    after = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    has_before, has_after = before >= 0, after < len(steps)
    before = np.where(has_before, before, np.where(has_after, after, 0))
    after = np.where(has_after, after, before)

    def at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, index, axis=1).astype(np.float64)

    time = batch.times.astype(np.float64)
    gap = at(batch.times, after) - at(batch.times, before)
    position = np.where(gap > 0, (time - at(batch.times, before)) / np.where(gap > 0, gap, 1), 0.5)
    weight_before = (1 - position) / at(batch.errmag, before) ** 2
    weight_after = position / at(batch.errmag, after) ** 2
    total = weight_before + weight_after
    shown = np.where(truthful, batch.target, 0)
    value = weight_before * at(shown, before) + weight_after * at(shown, after)
    return (value / np.where(total > 0, total, 1)).astype(np.float32)


BASELINES: dict[str, Callable[[Batch], np.ndarray]] = {
    "mean": window_mean,
    "interpolation": linear_interpolation,
}
