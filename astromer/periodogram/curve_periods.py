"""The periods of light curves, each from the visible observations of the whole curve.

And how often they are those that a catalogue knows. Period finders err by multiples of the period
and by the rhythm of the nights more than at random (Graham et al. 2013, MNRAS 434, 3423, arXiv
1307.2209): such periods are counted apart.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurves
from astromer.periodogram.graph_periods import GraphPeriods, find_periods_graph
from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.system.parallel import cores, map_ahead
from astromer.system.terminal import progress_bar

_CURVES_PER_CALL = 32


@dataclass(frozen=True)
class CurvePeriods:
    """What the searches have found in a set of light curves, in its order.

    Times count from the first observation of each light curve, visible or not. All arrays are
    [num_curves, ...]; see :class:`~astromer.periodogram.graph_periods.GraphPeriods`.
    """

    frequencies: np.ndarray
    powers: np.ndarray
    false_alarm: np.ndarray
    series: np.ndarray
    num_visible: np.ndarray

    def __len__(self) -> int:
        return len(self.num_visible)

    def take(self, positions: np.ndarray) -> CurvePeriods:
        """Those of the light curves at some positions, int64 [n]."""
        return CurvePeriods(*(getattr(self, field.name)[positions] for field in fields(self)))


class SearchStopped(Exception):
    """A search was given up, as its caller had asked."""


def find_periods(
    curves: LightCurves,
    visible: np.ndarray | None = None,
    config: PeriodogramConfig = PeriodogramConfig(),
    *,
    stopping: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> CurvePeriods:
    """Searches each light curve for periods, with the operations of a served model.

    Args:
        curves: light curves whose magnitudes are those that the network sees.
        visible: bool [num_observations], observations to use; nothing but the times of the others
            is read. All of them by default.
        config: where frequencies are searched.
        stopping: asked now and then; the search is given up where it is True.
        progress: whether to show a bar: a light curve takes some 10 ms.

    Raises:
        SearchStopped: the search was given up.
    """
    visible = np.ones(curves.num_observations, bool) if visible is None else visible
    count = np.diff(np.concatenate([[0], np.cumsum(visible)])[curves.offsets])
    search = _search(config)

    def find(first: int) -> GraphPeriods:
        stop = min(first + _CURVES_PER_CALL, len(curves))
        span = slice(curves.offsets[first], curves.offsets[stop])
        shown = visible[span]
        start = np.repeat(curves.offsets[first:stop], curves.lengths[first:stop])
        times = curves.mjd[span] - curves.mjd.take(start, mode="clip")
        arrays = (times, curves.mag[span], curves.errmag[span])
        chosen = [tf.constant(values[shown], tf.float64) for values in arrays]
        lengths = tf.constant(count[first:stop], tf.int64)
        return tf.nest.map_structure(lambda found: found.numpy(), search(*chosen, lengths))

    bar = progress_bar(total=len(curves), desc="periods", unit="curve", disable=not progress)
    parts = []
    with bar:
        # At least one call, so that the arrays of no light curves have their shapes.
        for part in map_ahead(find, range(0, max(len(curves), 1), _CURVES_PER_CALL), cores()):
            parts.append(part)
            bar.update(len(part.num_visible))
            if stopping():
                raise SearchStopped
    return CurvePeriods(*(np.concatenate(arrays) for arrays in zip(*parts)))


@functools.cache
def _search(config: PeriodogramConfig) -> Any:
    values = tf.TensorSpec([None], tf.float64)
    signature = (values, values, values, tf.TensorSpec([None], tf.int64))

    @tf.function(input_signature=signature, autograph=False)
    def search(*series: tf.Tensor) -> GraphPeriods:
        return find_periods_graph(*series, config=config)

    return search


_TOLERANCE = 0.01
"""Relative difference of two periods that count as one."""
_FACTORS = (0.5, 2.0)
_DAYS = (1.0, 1.00273790935)
"""Frequencies [1/day] of the nights, in solar and in sidereal days."""


@dataclass(frozen=True)
class PeriodRecovery:
    """Fractions, 0 to 1, of the stars whose known period is found.

    A period is *related* to the known one where it is the same, its half or its double, or where
    its frequency is an alias: one cycle a day (solar or sidereal) more or less. Each to within 1 %
    of the known period.

    Attributes:
        stars: those with a known period.
        candidates: frequencies found for each star, at most.
        exact_first, exact_any: the known period itself, by the best frequency and by any.
        related_first, related_any: a period related to it.
    """

    stars: int
    candidates: int
    exact_first: float
    exact_any: float
    related_first: float
    related_any: float

    def to_dict(self) -> dict[str, int | float]:
        """Plain JSON types."""
        return dataclasses.asdict(self)

    def summary(self) -> str:
        """One line of words."""
        return (
            f"of {self.stars:,} known periods {self.exact_first:.1%} were found within "
            f"{_TOLERANCE:.0%}, {self.related_first:.1%} up to a factor of 2 or one alias (among "
            f"{self.candidates} frequencies: {self.exact_any:.1%} and {self.related_any:.1%})"
        )


def period_recovery(frequencies: np.ndarray, periods: np.ndarray) -> PeriodRecovery | None:
    """Compares found frequencies with known periods.

    Args:
        frequencies: float64 [n, m], found in each light curve [1/day], the best first; 0 or NaN
            where there are fewer.
        periods: float64 [n], known periods [days]; NaN where unknown.

    Returns:
        None where no period is known.

    Raises:
        ValueError: they are not of the same stars.
    """
    if frequencies.ndim != 2 or periods.shape != frequencies.shape[:1] or not frequencies.shape[1]:
        raise ValueError(
            "frequencies must be [n, m] and periods [n]. Received: "
            f"{list(frequencies.shape)} and {list(periods.shape)}."
        )
    known = np.isfinite(periods) & (periods > 0)
    if not known.any():
        return None
    found, period = frequencies[known], periods[known, None]
    found = np.where(np.isfinite(found), found, 0)
    exact = _agree(found, period)
    related = exact.copy()
    for factor in _FACTORS:
        related |= _agree(found * factor, period)
    for day in _DAYS:
        related |= _agree(found + day, period) | _agree(np.abs(found - day), period)
    related &= found > 0  # no frequency has no alias
    return PeriodRecovery(
        stars=int(known.sum()),
        candidates=found.shape[1],
        exact_first=float(exact[:, 0].mean()),
        exact_any=float(exact.any(axis=1).mean()),
        related_first=float(related[:, 0].mean()),
        related_any=float(related.any(axis=1).mean()),
    )


def _agree(frequencies: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """bool, where the period 1 / f differs from the known one by 1 % of it at most."""
    cycles = frequencies * periods  # the known period over the found one
    agree: np.ndarray = np.abs(1 - cycles) <= _TOLERANCE * cycles
    return agree
