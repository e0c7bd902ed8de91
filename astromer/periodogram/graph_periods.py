"""The periods of light curves inside the graph of a served model, as in ``curve_periods``."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from astromer.periodogram.config import PeriodogramConfig


class GraphPeriods(NamedTuple):
    """What the searches have found; see :class:`astromer.periodogram.curve_periods.CurvePeriods`.

    Attributes:
        frequencies: float64 [batch, NUM_FREQUENCIES].
        powers: float64 [batch, NUM_PEAKS].
        false_alarm: float64 [batch].
        series: float64 [batch, 2 (highest order + 1)], real, then imaginary coefficients.
        num_visible: int64 [batch].
    """

    frequencies: tf.Tensor
    powers: tf.Tensor
    false_alarm: tf.Tensor
    series: tf.Tensor
    num_visible: tf.Tensor


def find_periods(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    errmag: tf.Tensor,
    lengths: tf.Tensor,
    known: tf.Tensor,
    config: PeriodogramConfig = PeriodogramConfig(),
) -> GraphPeriods:
    """Searches each light curve for periods.

    Args:
        times: float64 [N], days since the first observation of each light curve, in increasing
            order, light curve after light curve; visible observations alone.
        magnitudes: float64 [N].
        errmag: float64 [N], 1-sigma errors [mag]; NaN, zero and negative ones are unknown.
        lengths: int64 [batch], visible observations of each light curve.
        known: float64 [batch], the period [days] at which the harmonic series is fitted; others
            than positive numbers are unknown.
        config: where frequencies are searched.
    """
    raise NotImplementedError
