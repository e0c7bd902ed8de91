"""Windows of validation light curves that are drawn again and again as training goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from astromer.light_curves import LightCurves
from astromer.system.text import shortened
from astromer.training.tensorboard.reconstruction_image import Panel
from astromer.windows.batches import Batch, assemble
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, mask_seed
from astromer.windows.windows import sequential_windows


class WatchedCurves:
    """The first windows of a few light curves, with the same steps hidden at every epoch.

    Args:
        curves: the validation light curves.
        count: how many are watched: of each class the longest, of the commonest class first.
        window_size, normalise: of the model.
        masking, seed: what is hidden.
    """

    def __init__(
        self,
        curves: LightCurves,
        count: int,
        *,
        window_size: int,
        normalise: bool,
        masking: MaskingConfig,
        seed: int,
    ):
        self._curves = curves.take(np.array(_choose(curves, count), np.int64))
        windows = sequential_windows(self._curves.offsets, window_size)
        _, first = np.unique(windows.curve, return_index=True)
        windows = windows[first]
        probing = draw(windows.length, window_size, masking, seed=mask_seed(seed), first=0)
        self.batch: Batch = assemble(self._curves, windows, probing, normalise=normalise)

    def panels(self, predict: Callable[[Batch], np.ndarray]) -> list[Panel]:
        """The windows with what the network says of them now."""
        return list(self._panels(predict(self.batch)))

    def _panels(self, predicted: np.ndarray) -> Iterator[Panel]:
        batch = self.batch
        for row, curve in enumerate(batch.curve.tolist()):
            observed = batch.probing.observed[row]
            hidden = batch.probing.hidden[row][observed]
            mag, says = (
                (values[row] * batch.scale[row] + batch.centre[row])[observed]
                for values in (batch.target, predicted)
            )
            name = shortened(str(self._curves.ids[curve]), 24)
            kind = shortened(str(self._curves.class_names[curve]), 16)
            rmse = np.sqrt(np.mean((mag - says)[hidden] ** 2)) if hidden.any() else np.nan
            title = f"{name}{f' ({kind})' if kind else ''}: RMSE {rmse:.3f} mag"
            yield Panel(
                title, batch.times[row][observed], mag, batch.errmag[row][observed], hidden, says
            )


def _choose(curves: LightCurves, count: int) -> list[int]:
    """Positions: the longest of each class, then the second longest of each, and so on."""
    names, number = np.unique(curves.class_names, return_counts=True)
    longest = np.argsort(-curves.lengths, kind="stable")
    queues = [
        longest[curves.class_names[longest] == name]
        for name in names[np.argsort(-number, kind="stable")]
    ]
    turns = [queue[turn] for turn in range(count) for queue in queues if turn < len(queue)]
    return [int(position) for position in turns[:count]]
