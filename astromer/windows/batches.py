"""Windows of consecutive observations, and batches of them as the network reads them.

Micro-batches are windows of similar length that go through the network together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from astromer.light_curves import LightCurves
from astromer.windows.masking import Probing


@dataclass(frozen=True)
class Windows:
    """Where windows lie in a packed set of light curves. All arrays are int64 [num_windows].

    Attributes:
        start: index of the first observation in the flat arrays.
        length: observations in the window, 1 to window_size.
        curve: index of the light curve.
    """

    start: np.ndarray
    length: np.ndarray
    curve: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, index: slice | np.ndarray) -> Windows:
        return Windows(self.start[index], self.length[index], self.curve[index])


def sequential_windows(offsets: np.ndarray, window_size: int) -> Windows:
    """Cuts every curve into windows without overlap; the last one of a curve may be short.

    Args:
        offsets: int64 [num_curves + 1], as in :class:`~astromer.light_curves.LightCurves`.
        window_size: observations per window.
    """
    lengths = np.diff(offsets)
    curve, number = _windows_of(lengths, window_size)
    start = offsets[curve] + number * window_size
    return Windows(start, np.minimum(window_size, offsets[curve + 1] - start), curve)


def shifted_windows(offsets: np.ndarray, window_size: int, rng: np.random.Generator) -> Windows:
    """Cuts every curve into windows without overlap, the first cut at random.

    A curve that is longer than a window begins with a part of one, of 1 to window_size
    observations; the others are taken whole.
    """
    lengths = np.diff(offsets)
    before = rng.integers(0, window_size, len(lengths))  # observations missing from the first
    before = np.where(lengths > window_size, before, 0)
    curve, number = _windows_of(lengths + before, window_size)
    start = np.maximum(number * window_size - before[curve], 0)
    stop = np.minimum((number + 1) * window_size - before[curve], lengths[curve])
    return Windows(offsets[curve] + start, stop - start, curve)


def random_windows(offsets: np.ndarray, window_size: int, rng: np.random.Generator) -> Windows:
    """Draws windows at random positions, in random order.

    A curve of n observations gets ceil(n / window_size) windows, so that an epoch reads about as
    many observations as there are. Curves no longer than a window are taken whole.
    """
    lengths = np.diff(offsets)
    curve, _ = _windows_of(lengths, window_size)
    latest = np.maximum(lengths[curve] - window_size, 0)
    start = offsets[curve] + rng.integers(0, latest + 1)
    windows = Windows(start, np.minimum(window_size, lengths[curve]), curve)
    return windows[rng.permutation(len(windows))]


def _windows_of(lengths: np.ndarray, window_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The curve of each window, and the window's number within its curve."""
    counts = -(-lengths // window_size)
    curve = np.repeat(np.arange(len(lengths)), counts)
    first = np.cumsum(counts) - counts
    return curve, np.arange(len(curve)) - first[curve]


@dataclass(frozen=True)
class Batch:
    """A batch of windows. float32 [num_windows, window_size] where not stated otherwise.

    Attributes:
        times: days since the window's mean time (subtracted in float64), 0 at padding.
        magnitudes: what the network sees: minus the window's ``centre``, divided by its
            ``scale``; 0 at hidden steps and padding, the donor's magnitude at random steps.
        target: the true magnitudes, centred and scaled alike; 0 at padding.
        errmag: 1-sigma errors [mag], not scaled; 1 at padding.
        centre: float32 [num_windows], mean magnitude of the truthful steps [mag].
        scale: float32 [num_windows], 1, or their standard deviation [mag] if normalised.
        probing: the role of each step.
        curve: int64 [num_windows], index of the light curve.
        folded: further inputs of the network, by name; [num_windows, window_size or 1, ...].
    """

    times: np.ndarray
    magnitudes: np.ndarray
    target: np.ndarray
    errmag: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    probing: Probing
    curve: np.ndarray
    folded: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.curve)


def assemble(
    curves: LightCurves, windows: Windows, probing: Probing, *, normalise: bool = False
) -> Batch:
    """Cuts windows out of light curves and hides the hidden steps.

    Centre and scale come from the truthful steps only: a mean over all steps would leak
    information about the hidden ones.
    """
    observed, truthful = probing.observed, probing.truthful
    # At padding this reads whatever follows, and the last observation at the end.
    index = windows.start[:, None] + np.arange(observed.shape[1])
    mjd, mag, errmag = (
        values.take(index, mode="clip") for values in (curves.mjd, curves.mag, curves.errmag)
    )
    mjd -= _mean(mjd, observed)[:, None]

    residual = mag.astype(np.float64)
    centre = _mean(residual, truthful)
    residual -= centre[:, None]
    scale = np.ones(len(windows))
    if normalise:
        spread = np.sqrt(_mean(residual**2, truthful))
        scale = np.where(spread > 0, spread, 1.0)
        residual /= scale[:, None]
    target = np.where(observed, residual, 0.0).astype(np.float32)
    return Batch(
        times=np.where(observed, mjd, 0.0).astype(np.float32),
        magnitudes=np.where(probing.visible, _with_donors(target, probing), np.float32(0)),
        target=target,
        errmag=np.where(observed, errmag, np.float32(1)),
        centre=centre.astype(np.float32),
        scale=scale.astype(np.float32),
        probing=probing,
        curve=windows.curve,
    )


def shown_magnitudes(
    curves: LightCurves, windows: Windows, probing: Probing
) -> tuple[np.ndarray, np.ndarray]:
    """What the network sees of windows, step by step, in their order.

    Returns:
        bool [n], visible; and float32 [n], magnitudes, the donor's at random steps. n counts the
        observed steps.
    """
    index = windows.start[:, None] + probing.donor
    shown = curves.mag.take(index, mode="clip")
    return probing.visible[probing.observed], shown[probing.observed]


def _with_donors(target: np.ndarray, probing: Probing) -> np.ndarray:
    """The target, with the donor's magnitude at random steps."""
    shown = target.copy()
    step = np.flatnonzero(probing.random)  # few: gathering every step costs ten times as much
    donor = step - step % max(target.shape[1], 1) + probing.donor.ravel()[step]
    shown.ravel()[step] = target.ravel()[donor]
    return shown


def _mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean over the chosen steps of each row in float64; 0 where none is chosen."""
    total = np.sum(values, axis=1, where=chosen)
    return total / np.maximum(np.count_nonzero(chosen, axis=1), 1)


_LENGTH_RATIO = 1.05  # of padded lengths, which are multiples of 4
_LEAST_SIZE = 4
_START = 24  # steps of padding that are worth one micro-batch less
_LANE = 2**32


@dataclass(frozen=True)
class MicroBatch:
    """A part of a batch. Sizes and steps are of a few values, so that few shapes occur.

    Attributes:
        rows: int64 [num_windows], which windows of the batch.
        steps: padded length of each window.
        size: windows, including empty ones after those of ``rows``.
        first_row: number of the first window for dropout, whose draw depends on the batch as a
            whole and not on how it is divided.
    """

    rows: np.ndarray
    steps: int
    size: int
    first_row: int

    def of(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The part of arrays [num_windows, window_size or 1, ...] of the batch, by name.

        Zeros in empty windows.
        """
        empty = self.size - len(self.rows)
        found = {name: array[self.rows, : self.steps] for name, array in arrays.items()}
        if not empty:
            return found
        return {
            name: np.pad(array, [(0, empty), *[(0, 0)] * (array.ndim - 1)])
            for name, array in found.items()
        }


def plan_micro_batches(length: np.ndarray, window_size: int, largest: int) -> list[MicroBatch]:
    """Divides a batch so that short windows are not padded to the longest.

    Windows of similar length make up a group, of a multiple of four but for the last ones. A group
    is divided into micro-batches of ``largest`` and powers of two, of four at least: what is left
    of the last batch of an epoch has another length each time. A smaller batch has smaller ones.

    Args:
        length: int64 [num_windows], observations in each window, 0 to ``window_size``.
        window_size: longest window.
        largest: windows per micro-batch at most.

    Returns:
        From the longest windows to the shortest; every window is in one of them.
    """
    padded = _padded(length, window_size)
    order = np.argsort(-padded, kind="stable")
    shared = _shared(padded[order])
    bounds = np.flatnonzero(np.diff(shared, prepend=0, append=0))
    least = min(_LEAST_SIZE, 1 << max(len(length) - 1, 0).bit_length())
    micro_batches: list[MicroBatch] = []
    for start, stop in pairwise(bounds.tolist()):
        steps, first = int(shared[start]), start
        while first < stop:
            size = min(max(1 << (stop - first).bit_length() - 1, least), largest)
            rows = order[first : min(first + size, stop)]
            micro_batches.append(MicroBatch(rows, steps, size, steps * _LANE + first - start))
            first += size
    return micro_batches


def _padded(length: np.ndarray, window_size: int) -> np.ndarray:
    """Every length rounded up to one of a few."""
    few = [4]
    while few[-1] < window_size:
        few.append(max(few[-1] + 4, round(few[-1] * _LENGTH_RATIO / 4) * 4))
    return np.minimum(np.array(few)[np.searchsorted(few, length)], window_size)


def _shared(padded: np.ndarray) -> np.ndarray:
    """Descending lengths, raised so that 4, 8 or 16 windows have the same, at the least cost."""
    bounds = np.append(np.arange(0, len(padded), _LEAST_SIZE), len(padded)).tolist()
    cost, before = [0], [0]  # of the best division up to each bound, and where its last part begins
    for end in range(1, len(bounds)):
        costs = {
            end - fours: cost[end - fours] + fours * _LEAST_SIZE * int(padded[bounds[end - fours]])
            for fours in (4, 2, 1)
            if fours <= end
        }
        before.append(min(costs, key=costs.__getitem__))
        cost.append(costs[before[-1]] + _START)
    shared, end = padded.copy(), len(bounds) - 1
    while end > 0:
        begin = before[end]
        shared[bounds[begin] : bounds[end]] = padded[bounds[begin]]
        end = begin
    return shared
