"""The data of one epoch: a pure function of the seed and the epoch's number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path

import numpy as np

from astromer.encoder.folding import folded, periods_of_windows
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods, SearchStopped
from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.system.atomic import replace_file
from astromer.system.parallel import map_ahead
from astromer.system.untrusted_files import READ_ERRORS, read_arrays
from astromer.windows.batches import Batch, Windows, assemble, random_windows, shifted_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import Probing, draw, mask_seed

_WINDOWS = 1024  # whose masks are drawn at once
_SHIFTS = 1  # seed, draw and this seed the cuts


@dataclass
class TrainingEpoch:
    """Windows with random masks, in random order.

    Any batch can be made without those before it, so that a stopped epoch resumes where it was.
    For a model that folds, they are those of one of the :class:`MaskDraws`; for others they are
    drawn anew in each epoch.

    Attributes:
        curves: the training light curves.
        epoch: number of the epoch, from 0.
        window_size, batch_size, masking, normalise, seed: the knobs.
        draws: for a model that folds.
    """

    curves: LightCurves
    epoch: int
    _: KW_ONLY
    window_size: int
    batch_size: int
    masking: MaskingConfig
    normalise: bool
    seed: int
    draws: MaskDraws | None = None

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, self.epoch])
        if self.draws is None:
            self.windows = random_windows(self.curves.offsets, self.window_size, rng)
            self._number, self._masks = np.arange(len(self.windows)), self.epoch
        else:
            self._masks = self.epoch % self.draws.number
            windows = self.draws.windows(self._masks)
            self._number = rng.permutation(len(windows))
            self.windows = windows[self._number]

    def __len__(self) -> int:
        """Batches per epoch; the last one may be short."""
        return -(-len(self.windows) // self.batch_size)

    def batch(self, step: int) -> Batch:
        """Batch number ``step``."""
        chosen = slice(step * self.batch_size, (step + 1) * self.batch_size)
        windows, number = self.windows[chosen], self._number[chosen]
        first = number if self.draws else int(number[0])
        seed = mask_seed(self.seed, self._masks)
        probing = draw(windows.length, self.window_size, self.masking, seed=seed, first=first)
        batch = assemble(self.curves, windows, probing, normalise=self.normalise)
        if self.draws is None:
            return batch
        return folded(self.curves, windows, batch, self.draws.periods(self._masks))

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """Batches from number ``start``; the next ones are made while one is in use."""
        return map_ahead(self.batch, range(start, len(self)), threads=1, ahead=2)


class MaskDraws:
    """Windows that cover every light curve, their masks, and the periods in what these show.

    Epochs take a few draws in turn, since a search costs more than a step of training. What it
    finds is kept in a file, for a run that is resumed.

    Args:
        curves: the training light curves.
        number: of different draws.
        window_size, masking, seed: the knobs.
        periodogram: where frequencies are searched.
        folder: of the files.
        fingerprint: of the run; a file of another one is not read.
    """

    def __init__(
        self,
        curves: LightCurves,
        number: int,
        *,
        window_size: int,
        masking: MaskingConfig,
        seed: int,
        periodogram: PeriodogramConfig,
        folder: Path,
        fingerprint: str,
    ) -> None:
        self.curves, self.number, self.window_size = curves, number, window_size
        self._masking, self._seed, self._periodogram = masking, seed, periodogram
        self._folder, self._fingerprint = folder, fingerprint
        self._periods: dict[int, CurvePeriods] = {}

    def windows(self, number: int) -> Windows:
        """The windows of a draw, in the order of the light curves."""
        rng = np.random.default_rng([self._seed, number, _SHIFTS])
        return shifted_windows(self.curves.offsets, self.window_size, rng)

    def periods(self, number: int) -> CurvePeriods:
        """The periods of the light curves in what a draw shows.

        They are found, which takes a while, if :meth:`find` was not called before.
        """
        if number not in self._periods:
            self.find(number)
        return self._periods[number]

    def find(
        self, number: int, stopping: Callable[[], bool] = lambda: False, progress: bool = False
    ) -> bool:
        """Finds or reads the periods of a draw.

        Args:
            number: of the draw.
            stopping: asked now and then; the search is given up where it is True.
            progress: whether to show a bar.

        Returns:
            Whether they are known now.
        """
        if number in self._periods:
            return True
        path = self._folder / f"periods-{number}.npz"
        found = self._read(path)
        if found is None:
            try:
                found = periods_of_windows(
                    self.curves,
                    self._masks(number),
                    self._periodogram,
                    stopping=stopping,
                    progress=progress,
                )
            except SearchStopped:
                return False
            arrays = {field.name: getattr(found, field.name) for field in fields(found)}
            path.parent.mkdir(parents=True, exist_ok=True)
            with replace_file(path) as partial, partial.open("wb") as file:
                np.savez(file, fingerprint=self._fingerprint, **arrays)
        self._periods[number] = found
        return True

    def _masks(self, number: int) -> Iterator[tuple[Windows, Probing]]:
        windows, seed = self.windows(number), mask_seed(self._seed, number)
        for first in range(0, len(windows), _WINDOWS):
            some = windows[first : first + _WINDOWS]
            yield some, draw(some.length, self.window_size, self._masking, seed=seed, first=first)

    def _read(self, path: Path) -> CurvePeriods | None:
        try:
            arrays = read_arrays(path)
            if str(arrays.pop("fingerprint")) != self._fingerprint:
                return None
            found = CurvePeriods(**arrays)
        except (*READ_ERRORS, TypeError):
            return None
        return found if len(found) == len(self.curves) else None
