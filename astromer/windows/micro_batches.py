"""Passes: windows of like length that go through the network together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Padded lengths are multiples of this share of a window, so that few kinds of pass occur.
_LENGTH_CLASSES = 10
# A pass costs some milliseconds whatever its size; fewer windows than this join longer ones.
_FEWEST = 8
_LANE = 2**32


@dataclass(frozen=True)
class Pass:
    """A part of a batch.

    Attributes:
        rows: int64 [num_windows], which windows of the batch.
        steps: steps that each is padded to.
        first_row: number of the first window for dropout, whose draw depends on the batch as a
            whole and not on how passes are divided.
    """

    rows: np.ndarray
    steps: int
    first_row: int


def plan_passes(length: np.ndarray, window_size: int, largest: int) -> list[Pass]:
    """Divides a batch so that short windows are not padded to the longest.

    Args:
        length: int64 [num_windows], observations in each window, 0 to ``window_size``.
        window_size: longest window.
        largest: windows per pass at most.

    Returns:
        Passes from the longest windows to the shortest; every window is in one of them.
    """
    quantum = 8 * -(-window_size // (8 * _LENGTH_CLASSES))
    padded = np.minimum(np.maximum(-(-length // quantum), 1) * quantum, window_size)
    order = np.argsort(-padded, kind="stable")
    bounds = np.flatnonzero(np.diff(padded[order], prepend=0, append=0))
    passes: list[Pass] = []
    for group in _merge_small(bounds.tolist()):
        steps = int(padded[order[group.start]])
        for first in range(group.start, group.stop, largest):
            rows = order[first : min(first + largest, group.stop)]
            passes.append(Pass(rows, steps, steps * _LANE + first - group.start))
    return passes


def _merge_small(bounds: list[int]) -> list[slice]:
    """Groups of at least ``_FEWEST`` windows, but for the last one."""
    groups: list[slice] = []
    for first, stop in pairwise(bounds):
        if groups and groups[-1].stop - groups[-1].start < _FEWEST:
            groups[-1] = slice(groups[-1].start, stop)
        else:
            groups.append(slice(first, stop))
    return groups
