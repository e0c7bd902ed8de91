"""Windows: runs of consecutive observations that the encoder reads at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Where windows lie in a packed set of light curves.

    Attributes:
        start: int64 [num_windows], index of the first observation in the flat arrays.
        length: int64 [num_windows], observations in the window, 1 to window_size.
        curve: int64 [num_windows], index of the light curve.
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
    curve, order = _windows_of(lengths, window_size)
    start = offsets[curve] + order * window_size
    return Windows(start, np.minimum(window_size, offsets[curve + 1] - start), curve)


def random_windows(offsets: np.ndarray, window_size: int, rng: np.random.Generator) -> Windows:
    """Draws windows at random places, in random order.

    A curve of n observations gets ceil(n / window_size) windows, so that an epoch is about
    one pass over the observations. Curves no longer than a window are taken whole.
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
