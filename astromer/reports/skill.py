"""How well hidden steps are reconstructed, by what makes them hard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from astromer.reports.plot import INTERPOLATION, MEAN, MODEL
from astromer.reports.reconstruction import Reconstruction, days_to_nearest_visible
from astromer.system.text import other_classes

_LENGTHS = (0, 20, 50, 100, 200, 400, 1000, 2000, np.inf)
_DAYS = (0, 0.05, 0.5, 1.5, 3, 7, 15, 40, 120, np.inf)
_MOST_CLASSES = 24
UNKNOWN = "(unknown)"


@dataclass(frozen=True)
class Row:
    """Scores of some hidden steps.

    Attributes:
        name: of the group.
        windows, steps: how many windows they lie in, and how many they are.
        rmse: by "model", "mean" and "interpolation" [mag].
    """

    name: str
    windows: int
    steps: int
    rmse: dict[str, float]

    def skill_over(self, baseline: str) -> float:
        """1 - (RMSE / baseline's RMSE)^2; NaN where the baseline makes no error."""
        error = self.rmse[baseline]
        return 1 - (self.rmse[MODEL] / error) ** 2 if error > 0 else float("nan")


class HiddenSteps:
    """All hidden steps of a reconstruction, one after the other.

    Args:
        reconstruction: of a sample of windows.
    """

    def __init__(self, reconstruction: Reconstruction) -> None:
        batch, hidden = reconstruction.batch, reconstruction.sample.probing.hidden
        self._window, _ = np.nonzero(hidden)
        scale = batch.scale[:, None].astype(np.float64)
        self._error = {
            name: (((batch.target - found) * scale) ** 2)[hidden]
            for name, found in reconstruction.predicted.items()
        }
        curve = batch.curve[self._window]
        self._length = reconstruction.curves.lengths[curve]
        self._days = days_to_nearest_visible(batch)[hidden]
        names = reconstruction.curves.class_names[curve]
        self._class = np.where(names == "", UNKNOWN, names)

    def __len__(self) -> int:
        return len(self._window)

    def row(self, name: str, chosen: np.ndarray) -> Row:
        """Scores of the chosen steps, bool [num_steps]; at least one."""
        windows = len(np.unique(self._window[chosen]))
        rmse = {key: float(np.sqrt(error[chosen].mean())) for key, error in self._error.items()}
        return Row(name, windows, int(np.count_nonzero(chosen)), rmse)

    def all(self) -> list[Row]:
        """One row, or none where nothing is hidden."""
        return [self.row("all", np.ones(len(self), bool))] if len(self) else []

    def by_length(self) -> list[Row]:
        """By observations of the whole light curve."""
        return list(self._by_range(self._length, _LENGTHS, whole=True))

    def by_gap(self) -> list[Row]:
        """By days to the nearest visible step of the window."""
        return list(self._by_range(self._days, _DAYS))

    def by_class(self) -> list[Row]:
        """By class, that with the most hidden steps first; the rarest of many are joined."""
        counts = Counter(self._class.tolist())
        names = [name for name, _ in counts.most_common(_MOST_CLASSES)]
        if names == [UNKNOWN]:
            return []
        rows = [self.row(name, self._class == name) for name in names]
        others = ~np.isin(self._class, names)
        if others.any():
            rows.append(self.row(other_classes(counts.keys() - set(names)), others))
        return rows

    def _by_range(
        self, values: np.ndarray, edges: Sequence[float], whole: bool = False
    ) -> Iterator[Row]:
        for low, high in pairwise(edges):
            chosen = (values >= low) & (values < high)
            if high == np.inf:
                chosen |= values == np.inf
                name = f"{low:g} and more"
            else:
                name = f"{low:g} to {high - 1:g}" if whole else f"{low:g} to {high:g}"
            if chosen.any():
                yield self.row(name, chosen)


BASELINES = (MEAN, INTERPOLATION)
