"""The data of one epoch: a pure function of the seed and the epoch's number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass

import numpy as np

from astromer.light_curves import LightCurves
from astromer.system.parallel import map_ahead
from astromer.windows.batches import Batch, assemble, random_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw, mask_seed


@dataclass
class TrainingEpoch:
    """Random windows with fresh masks, in random order.

    Any batch can be made without those before it, so that a stopped epoch resumes where it was.

    Attributes:
        curves: the training light curves.
        epoch: number of the epoch, from 0.
        window_size, batch_size, masking, normalise, seed: the knobs.
    """

    curves: LightCurves
    epoch: int
    _: KW_ONLY
    window_size: int
    batch_size: int
    masking: MaskingConfig
    normalise: bool
    seed: int

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, self.epoch])
        self.windows = random_windows(self.curves.offsets, self.window_size, rng)

    def __len__(self) -> int:
        """Batches per epoch; the last one may be short."""
        return -(-len(self.windows) // self.batch_size)

    def batch(self, step: int) -> Batch:
        """Batch number ``step``."""
        first = step * self.batch_size
        windows = self.windows[first : first + self.batch_size]
        seed = mask_seed(self.seed, self.epoch)
        probing = draw(windows.length, self.window_size, self.masking, seed=seed, first=first)
        return assemble(self.curves, windows, probing, normalise=self.normalise)

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """Batches from number ``start``; the next ones are made while one is in use."""
        return map_ahead(self.batch, range(start, len(self)), threads=1, ahead=2)
