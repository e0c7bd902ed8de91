"""The order of steps in which training needs them."""

from __future__ import annotations

import numpy as np


def arrange(
    arrays: dict[str, np.ndarray], visible: np.ndarray, scored: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Brings visible steps to the front and scored ones to the back.

    The encoder attends to the visible steps, and the loss asks for the scored ones: with both in
    one stretch, the rest need not be computed. Visible steps that are scored lie between.

    Args:
        arrays: [num_windows, window_size], or [num_windows, 1], which stay as they are.
        visible: bool [num_windows, window_size].
        scored: bool, same shape.

    Returns:
        The arrays in the new order, and int64 [num_windows], the number of steps in each window
        before the first scored one.
    """
    unscored = visible & ~scored
    rank = np.where(visible, 1 - unscored, np.where(scored, 2, 3)).astype(np.uint8)
    order = np.argsort(rank, axis=1, kind="stable")
    arranged = {
        name: array if array.shape[1] == 1 else np.take_along_axis(array, order, axis=1)
        for name, array in arrays.items()
    }
    return arranged, unscored.sum(axis=1)
