"""Errors at hidden steps by groups that are hard in different ways, as tables and plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from astromer.reports.plot import COLOURS, MODEL, SHORT_TITLES, Plot, make_plot
from astromer.reports.reconstructed_windows import WindowReconstruction
from astromer.system.html.page import label, new_figure
from astromer.system.text import other_classes
from astromer.validation.profile import UNKNOWN
from astromer.windows.batches import Batch

_LENGTHS = (0, 20, 50, 100, 200, 400, 1000, 2000, np.inf)
_DAYS = (0, 0.05, 0.5, 1.5, 3, 7, 15, 40, 120, np.inf)
_MOST_CLASSES = 24
_MARKERS = {"model": "o", "mean": "s", "interpolation": "D", "harmonic": "^", "harmonic_curve": "v"}


@dataclass(frozen=True)
class GroupScores:
    """Scores of some hidden steps.

    Attributes:
        name: of the group.
        windows, steps: how many windows they lie in, and how many they are.
        rmse: by "model" and the names of the baselines [mag].
    """

    name: str
    windows: int
    steps: int
    rmse: dict[str, float]

    @property
    def best_baseline(self) -> str:
        """The baseline with the smallest error."""
        return min(set(self.rmse) - {MODEL}, key=lambda name: (self.rmse[name], name))

    def skill_over(self, baseline: str) -> float:
        """1 - (RMSE / baseline's RMSE)^2; NaN where the baseline makes no error."""
        error = self.rmse[baseline]
        return 1 - (self.rmse[MODEL] / error) ** 2 if error > 0 else float("nan")


class HiddenSteps:
    """All hidden steps of a reconstruction, one after the other.

    Args:
        reconstruction: of a sample of windows.
    """

    def __init__(self, reconstruction: WindowReconstruction) -> None:
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

    def all(self) -> list[GroupScores]:
        """One row, or none where nothing is hidden."""
        every = np.ones(len(self._window), bool)
        return [self._scores("all", every)] if len(every) else []

    def by_length(self) -> list[GroupScores]:
        """By observations of the whole light curve."""
        return list(self._by_range(self._length, _LENGTHS, whole=True))

    def by_gap(self) -> list[GroupScores]:
        """By days to the nearest visible step of the window."""
        return list(self._by_range(self._days, _DAYS))

    def by_class(self) -> list[GroupScores]:
        """By class, that with the most hidden steps first; the rarest of many are joined."""
        counts = Counter(self._class.tolist())
        names = [name for name, _ in counts.most_common(_MOST_CLASSES)]
        if names == [UNKNOWN]:
            return []
        rows = [self._scores(name, self._class == name) for name in names]
        others = ~np.isin(self._class, names)
        if others.any():
            rows.append(self._scores(other_classes(counts.keys() - set(names)), others))
        return rows

    def _by_range(
        self, values: np.ndarray, edges: Sequence[float], whole: bool = False
    ) -> Iterator[GroupScores]:
        for low, high in pairwise(edges):
            chosen = (values >= low) & (values < high)
            if high == np.inf:
                chosen |= values == np.inf
                name = f"{low:g} and more"
            else:
                name = f"{low:g} to {high - 1:g}" if whole else f"{low:g} to {high:g}"
            if chosen.any():
                yield self._scores(name, chosen)

    def _scores(self, name: str, chosen: np.ndarray) -> GroupScores:
        windows = len(np.unique(self._window[chosen]))
        rmse = {key: float(np.sqrt(error[chosen].mean())) for key, error in self._error.items()}
        return GroupScores(name, windows, int(np.count_nonzero(chosen)), rmse)


def days_to_nearest_visible(batch: Batch) -> np.ndarray:
    """float64 [num_windows, window_size], days from each step to the nearest visible one.

    0 at visible steps; infinite where nothing is visible.
    """
    visible, times = batch.probing.visible, batch.times.astype(np.float64)
    last = np.maximum.accumulate(np.where(visible, times, -np.inf), axis=1)
    following = np.where(visible, times, np.inf)
    following = np.minimum.accumulate(following[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(times - last, following - times)


def draw_skill(rows: Sequence[GroupScores], name: str, by: str) -> Plot:
    """A mark for the model and each baseline in every group.

    Args:
        rows: the groups.
        name: of the plot's file.
        by: what the groups differ in, with its unit.
    """
    figure, axes = new_figure(4.2, 1.4 + 0.24 * len(rows))
    y = np.arange(len(rows))
    for key, title in SHORT_TITLES.items():
        axes.plot(
            [row.rmse[key] for row in rows],
            y,
            _MARKERS[key],
            color=COLOURS[key],
            label=title,
            markersize=5,
            fillstyle="full" if key == MODEL else "none",
        )
    for number, row in enumerate(rows):
        ends = [min(row.rmse.values()), max(row.rmse.values())]
        axes.plot(ends, [number, number], color="#cccccc", linewidth=0.8, zorder=0)
    axes.set_yticks(y)
    axes.set_yticklabels([f"{label(row.name)} ({row.steps:,})" for row in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("RMSE at hidden steps [mag]")
    axes.set_title(by, fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=7)
    return make_plot(
        figure,
        f"skill_{name}",
        f"RMSE at hidden steps by {by}, of the model and the baselines",
        f"Error at hidden steps by {by}; in brackets, how many hidden steps.",
    )
