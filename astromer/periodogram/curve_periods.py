"""The periods of light curves, each from the visible observations of the whole curve."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.light_curves import LightCurves
from astromer.periodogram.config import PeriodogramConfig
from astromer.periodogram.graph_periods import GraphPeriods
from astromer.periodogram.graph_periods import find_periods as find_in_graph
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
    known: np.ndarray | None = None,
    stopping: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> CurvePeriods:
    """Searches each light curve for periods, with the operations of a served model.

    Args:
        curves: light curves whose magnitudes are those that the network sees.
        visible: bool [num_observations], observations to use; nothing but the times of the others
            is read. All of them by default.
        config: where frequencies are searched.
        known: float64 [num_curves], periods [days] at which the harmonic series are fitted, where
            they are positive; none by default.
        stopping: asked now and then; the search is given up where it is True.
        progress: whether to show a bar: a light curve takes some 10 ms.

    Raises:
        SearchStopped: the search was given up.
    """
    visible = np.ones(curves.num_observations, bool) if visible is None else visible
    known = np.zeros(len(curves)) if known is None else known
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
        rows = [tf.constant(count[first:stop], tf.int64), tf.constant(known[first:stop])]
        return tf.nest.map_structure(lambda found: found.numpy(), search(*chosen, *rows))

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
    signature = (values, values, values, tf.TensorSpec([None], tf.int64), values)

    @tf.function(input_signature=signature, autograph=False)
    def search(
        times: tf.Tensor,
        magnitudes: tf.Tensor,
        errmag: tf.Tensor,
        lengths: tf.Tensor,
        known: tf.Tensor,
    ) -> GraphPeriods:
        return find_in_graph(times, magnitudes, errmag, lengths, known, config)

    return search
