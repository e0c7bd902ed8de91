"""Micro-batches: windows of similar length that go through the network together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_LENGTH_CLASSES = 10  # padded lengths are multiples of a tenth of a window: few shapes occur
_FEWEST = (
    8  # a micro-batch costs some milliseconds whatever its size; fewer windows join longer ones
)
_LANE = 2**32


@dataclass(frozen=True)
class MicroBatch:
    """A part of a batch.

    Attributes:
        rows: int64 [num_windows], which windows of the batch.
        steps: padded length of each window.
        first_row: number of the first window for dropout, whose draw depends on the batch as a
            whole and not on how it is divided.
    """

    rows: np.ndarray
    steps: int
    first_row: int

    def of(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The part of arrays [num_windows, window_size or 1, ...] of the batch, by name."""
        return {name: array[self.rows, : self.steps] for name, array in arrays.items()}


def plan_micro_batches(length: np.ndarray, window_size: int, largest: int) -> list[MicroBatch]:
    """Divides a batch so that short windows are not padded to the longest.

    Args:
        length: int64 [num_windows], observations in each window, 0 to ``window_size``.
        window_size: longest window.
        largest: windows per micro-batch at most.

    Returns:
        From the longest windows to the shortest; every window is in one of them.
    """
    quantum = 8 * -(-window_size // (8 * _LENGTH_CLASSES))
    padded = np.minimum(np.maximum(-(-length // quantum), 1) * quantum, window_size)
    order = np.argsort(-padded, kind="stable")
    bounds = np.flatnonzero(np.diff(padded[order], prepend=0, append=0))
    micro_batches: list[MicroBatch] = []
    for group in _merge_small(bounds.tolist()):
        steps = int(padded[order[group.start]])
        for first in range(group.start, group.stop, largest):
            rows = order[first : min(first + largest, group.stop)]
            micro_batches.append(MicroBatch(rows, steps, steps * _LANE + first - group.start))
    return micro_batches


def _merge_small(bounds: list[int]) -> list[slice]:
    """Groups of at least ``_FEWEST`` windows, but for the last one."""
    groups: list[slice] = []
    for first, stop in pairwise(bounds):
        if groups and groups[-1].stop - groups[-1].start < _FEWEST:
            groups[-1] = slice(groups[-1].start, stop)
        else:
            groups.append(slice(first, stop))
    return groups
