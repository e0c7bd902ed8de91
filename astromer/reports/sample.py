"""What of a split is looked at: a bounded part, drawn by a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astromer.light_curves import LightCurves
from astromer.windows.batches import Windows, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import Probing, draw, mask_seed

_WINDOWS, _CURVES = 1, 2  # so that the two draws of a seed are independent


@dataclass(frozen=True)
class WindowSample:
    """Some of the windows that the evaluation scores, with the same hidden steps.

    Attributes:
        windows: the windows, in the order of the split.
        number: int64 [num_windows], of each among all windows of the split.
        probing: the role of every step.
        total: windows of the whole split.
    """

    windows: Windows
    number: np.ndarray
    probing: Probing
    total: int


def draw_windows(
    curves: LightCurves,
    window_size: int,
    masking: MaskingConfig,
    mask: int,
    most: int,
    seed: int,
) -> WindowSample:
    """Draws windows, each as likely as any other.

    Args:
        curves: the split.
        window_size: observations per window.
        masking: fractions of probed, same and random steps.
        mask: seed of the evaluation: what it hides in a window is hidden here, too.
        most: windows to draw at most; all are taken where there are fewer.
        seed: of the draw.
    """
    windows = sequential_windows(curves.offsets, window_size)
    number = _draw(len(windows), most, [seed, _WINDOWS])
    chosen = windows[number]
    roles = [
        draw(chosen.length[i : i + 1], window_size, masking, seed=mask_seed(mask), first=int(first))
        for i, first in enumerate(number)
    ]
    names = ("observed", "probed", "same", "random", "hidden", "donor")
    joined = {name: np.concatenate([getattr(role, name) for role in roles]) for name in names}
    return WindowSample(chosen, number, Probing(**joined), len(windows))


def draw_curves(curves: LightCurves, window_size: int, most: int, seed: int) -> np.ndarray:
    """int64, rising: positions of ``most`` light curves at most, at least one.

    Of very long light curves fewer are drawn: those of the draw that fit into twice as many
    windows.
    """
    order = np.random.default_rng([seed, _CURVES]).permutation(len(curves))[:most]
    windows = np.cumsum(-(-curves.lengths[order] // window_size))
    fitting = max(int(np.searchsorted(windows, 2 * most, side="right")), 1)
    return np.sort(order[:fitting])


def _draw(total: int, most: int, seed: list[int]) -> np.ndarray:
    if total <= most:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, most, replace=False))
