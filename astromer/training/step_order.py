"""The order of steps in which training needs them."""

from __future__ import annotations

import numpy as np

from astromer.windows.micro_batches import Pass

_LANES = 8  # multiples of it, so that few kinds of pass occur


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


def first_of_passes(parts: list[Pass], first_scored: np.ndarray) -> dict[int, int]:
    """The first step that must be predicted, by the padded length of a pass.

    The same in all passes of one length, so that dropout does not depend on how many there are. At
    least one step is predicted, so that no product is empty.

    Args:
        parts: the passes of a batch.
        first_scored: int64 [num_windows], from :func:`arrange`.
    """
    first = {part.steps: part.steps - 1 for part in parts}
    for part in parts:
        lowest = int(first_scored[part.rows].min())
        first[part.steps] = min(first[part.steps], lowest // _LANES * _LANES)
    return first
