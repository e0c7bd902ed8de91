"""Features of light curves, in the graph: part of the embedding of an encoder that sees periods.

They are those that surveys classify variable stars by (Richards et al. 2011, ApJ 733, 10; Kim &
Bailer-Jones 2016, A&A 587, A18). Training and served models compute them with the same code.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from astromer.encoder.phase_features import HARMONICS
from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods
from astromer.periodogram.graph_periods import (
    NUM_FREQUENCIES,
    NUM_PEAKS,
    GraphPeriods,
    decimal_log,
    owners,
    series_shape,
    sum_of_harmonics,
    usable_errors,
)

_QUANTILES = (0.0, 0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 1.0)
_CURVES_PER_CALL = 256
_LEAST_SPREAD = 1e-4  # [mag], of what is divided by

NUM_SEARCH_FEATURES = NUM_FREQUENCIES + NUM_PEAKS + 3
"""The first features: frequencies, powers, standard deviation, number and error of observations."""
NUM_FEATURES = NUM_SEARCH_FEATURES + 12 + 8 + 4 * HARMONICS


def features_of(curves: LightCurves, periods: CurvePeriods) -> np.ndarray:
    """float32 [num_curves, NUM_FEATURES], see :func:`curve_features`.

    Args:
        curves: in order of time.
        periods: found in all their observations.
    """
    found = [np.empty((0, NUM_FEATURES), np.float32)]
    for first in range(0, len(curves), _CURVES_PER_CALL):
        rows = np.arange(first, min(first + _CURVES_PER_CALL, len(curves)))
        some, search = curves.take(rows), periods.take(rows)
        in_graph = GraphPeriods(*(tf.constant(getattr(search, n)) for n in GraphPeriods._fields))
        starts = np.repeat(some.mjd[some.offsets[:-1].clip(max=len(some.mjd) - 1)], some.lengths)
        values = _compiled(
            tf.constant(some.mjd - starts),
            tf.constant(some.mag, tf.float64),
            tf.constant(some.errmag, tf.float64),
            tf.constant(some.lengths),
            in_graph,
        )
        found.append(values.numpy())
    return np.concatenate(found)


def curve_features(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    errmag: tf.Tensor,
    lengths: tf.Tensor,
    periods: GraphPeriods,
) -> tf.Tensor:
    """Features that a threshold or a small network can use: logarithms, ratios, finite.

    Args:
        times: float64 [N], days since the first observation of each light curve, in increasing
            order, light curve after light curve.
        magnitudes: float64 [N].
        errmag: float64 [N], 1-sigma errors [mag]; NaN, zero and negative ones are unknown.
        lengths: int64 [batch], observations of each light curve.
        periods: of the light curves.

    Returns:
        float32 [batch, NUM_FEATURES]: frequencies and powers of the period search, logarithm of
        the standard deviation, of the number and of the mean error of observations; mean, skew,
        kurtosis, Stetson's K (Stetson 1996, PASP 108, 851), reduced chi squared, von Neumann's eta
        in order of time and of the phases at the first two frequencies, range of the cumulative
        sum, linear trend and its correlation, share beyond a standard deviation; span and ratios of
        quantiles; of the best harmonic series amplitudes, ratios, relative phases (Simon & Lee
        1981, ApJ 248, 291) and the scatter about it.
    """
    packed = _Packed(lengths)
    errors = usable_errors(errmag, packed.row, tf.size(lengths))
    mean = packed.mean(magnitudes)
    centred = magnitudes - packed.spread(mean)
    variance = packed.mean(centred**2)
    deviation = tf.maximum(tf.sqrt(variance), _LEAST_SPREAD)
    columns = [
        decimal_log(periods.frequencies, 1e-4),
        periods.powers,
        decimal_log(deviation, _LEAST_SPREAD)[:, None],
        decimal_log(packed.count, 1.0)[:, None],
        decimal_log(packed.mean(errors), 1e-4)[:, None],
        tf.stack(_moments(times, centred, errors, mean, deviation, packed, periods), axis=1),
        _quantile_features(times, centred, deviation, packed),
        _series_features(times, centred, mean, deviation, packed, periods),
    ]
    features = tf.concat(columns, axis=1)
    features = tf.where(tf.math.is_finite(features), features, 0.0)
    return tf.ensure_shape(tf.cast(features, tf.float32), [None, NUM_FEATURES])


class _Packed:
    """Sums over the observations of each light curve, which lie one after another.

    Attributes:
        row: int64 [N], the light curve of each observation.
        starts: int64 [batch], first observation of each light curve.
        lengths: int64 [batch].
        count: float64 [batch], the same, 1 at least.
    """

    def __init__(self, lengths: tf.Tensor) -> None:
        self.lengths = lengths
        self.row = owners(lengths)
        self.starts = tf.cumsum(lengths, exclusive=True)
        self.count = tf.cast(tf.maximum(lengths, 1), tf.float64)
        self.later = self.row[1:] == self.row[:-1]

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """float64 [batch]."""
        return tf.math.unsorted_segment_sum(values, self.row, tf.size(self.lengths))

    def mean(self, values: tf.Tensor) -> tf.Tensor:
        """float64 [batch]; 0 for a light curve without observations."""
        return self.sum(values) / self.count

    def spread(self, values: tf.Tensor) -> tf.Tensor:
        """The value of its light curve for each observation, [N]."""
        return tf.gather(values, self.row)

    def in_order(self, values: tf.Tensor, by: tf.Tensor) -> tf.Tensor:
        """Values in order of something else within each light curve, [N]."""
        order = tf.argsort(by, stable=True)
        order = tf.gather(order, tf.argsort(tf.gather(self.row, order), stable=True))
        return tf.gather(values, order)

    def eta(self, values: tf.Tensor, deviation: tf.Tensor) -> tf.Tensor:
        """log10 of the mean squared difference of neighbours over the variance, float64 [batch]."""
        steps = tf.where(self.later, values[1:] - values[:-1], 0.0)
        total = self.sum(tf.pad(steps**2, [[1, 0]])[: tf.size(values)])
        return decimal_log(total / tf.maximum(self.count - 1, 1.0) / deviation**2, 1e-4)


def _moments(
    times: tf.Tensor,
    centred: tf.Tensor,
    errors: tf.Tensor,
    mean: tf.Tensor,
    deviation: tf.Tensor,
    packed: _Packed,
    periods: GraphPeriods,
) -> list[tf.Tensor]:
    """Twelve features, float64 [batch] each."""
    scaled = centred / packed.spread(deviation)
    weights = errors**-2
    weighted = packed.sum(weights * centred) / tf.maximum(packed.sum(weights), 1e-9)
    residual = (centred - packed.spread(weighted)) / errors
    squares = packed.mean(residual**2)
    stetson = packed.mean(tf.abs(residual)) / tf.sqrt(tf.maximum(squares, 1e-9))
    middle = times - packed.spread(packed.mean(times))
    duration = tf.maximum(tf.sqrt(packed.mean(middle**2)), 1e-6)
    correlation = packed.mean(scaled * middle) / duration
    total = tf.cumsum(scaled)  # of each light curve adds up to zero, and so starts at zero
    highest = tf.math.unsorted_segment_max(total, packed.row, tf.size(packed.lengths))
    lowest = tf.math.unsorted_segment_min(total, packed.row, tf.size(packed.lengths))
    some = packed.lengths > 0
    beyond = packed.mean(tf.cast(tf.abs(scaled) > 1, tf.float64))
    folded = []
    for number in range(2):
        cycles = times * packed.spread(periods.frequencies[:, number])
        folded.append(packed.eta(packed.in_order(centred, cycles - tf.floor(cycles)), deviation))
    return [
        mean,
        tf.clip_by_value(packed.mean(scaled**3), -10.0, 10.0),
        decimal_log(packed.mean(scaled**4), 1e-2),
        stetson,
        decimal_log(squares, 1e-4),
        packed.eta(centred, deviation),
        *folded,
        tf.where(some, highest - lowest, 0.0) / packed.count,
        decimal_log(tf.abs(correlation) * deviation / duration, 1e-8),
        correlation,
        beyond,
    ]


def _quantile_features(
    times: tf.Tensor, centred: tf.Tensor, deviation: tf.Tensor, packed: _Packed
) -> tf.Tensor:
    """float64 [batch, 8]."""
    ordered = tf.pad(packed.in_order(centred, centred), [[0, 1]])
    last = tf.maximum(packed.lengths - 1, 0)[:, None]
    place = tf.cast(last, tf.float64) * _QUANTILES
    floor = tf.floor(place)
    before = tf.cast(floor, tf.int64)
    starts = packed.starts[:, None]
    low = tf.gather(ordered, starts + before)
    high = tf.gather(ordered, starts + tf.minimum(before + 1, last))
    values = tf.where(packed.lengths[:, None] > 0, low + (high - low) * (place - floor), 0.0)
    quantile = dict(zip(_QUANTILES, tf.unstack(values, axis=1)))
    wide = tf.maximum(quantile[0.95] - quantile[0.05], _LEAST_SPREAD)
    whole = tf.maximum(quantile[1.0] - quantile[0.0], _LEAST_SPREAD)
    near = tf.abs(centred - packed.spread(quantile[0.5])) < 0.05 * packed.spread(whole)
    longest = tf.math.unsorted_segment_max(times, packed.row, tf.size(packed.lengths))
    return tf.stack(
        [
            decimal_log(tf.where(packed.lengths > 0, longest, 0.0), 1e-3),
            decimal_log(whole / deviation, 1e-2),
            (quantile[0.6] - quantile[0.4]) / wide,
            (quantile[0.75] - quantile[0.25]) / wide,
            (quantile[0.9] - quantile[0.1]) / wide,
            (quantile[0.95] + quantile[0.05] - 2 * quantile[0.5]) / wide,
            (quantile[1.0] + quantile[0.0] - 2 * quantile[0.5]) / whole,
            packed.mean(tf.cast(near, tf.float64)),
        ],
        axis=1,
    )


def _series_features(
    times: tf.Tensor,
    centred: tf.Tensor,
    mean: tf.Tensor,
    deviation: tf.Tensor,
    packed: _Packed,
    periods: GraphPeriods,
) -> tf.Tensor:
    """float64 [batch, 4 HARMONICS]."""
    coefficients = tf.complex(*tf.split(periods.series, 2, axis=1))
    angle = 2 * np.pi * times * packed.spread(periods.frequencies[:, 0])
    waves = sum_of_harmonics(angle, list(map(packed.spread, tf.unstack(coefficients, axis=1)[1:])))
    offset = tf.math.real(coefficients[:, 0]) - mean
    residual = centred - waves - packed.spread(offset)
    scatter = tf.sqrt(packed.mean(residual**2)) / deviation
    return tf.concat(
        [
            series_shape(periods.series, HARMONICS, _LEAST_SPREAD),
            decimal_log(scatter, 1e-3)[:, None],
            decimal_log(
                tf.abs(periods.frequencies[:, :1] - tf.round(periods.frequencies[:, :1])), 1e-4
            ),
            decimal_log(periods.false_alarm, 1e-30)[:, None],
        ],
        axis=1,
    )


_compiled: Callable[..., tf.Tensor] = tf.function(
    curve_features, autograph=False, reduce_retracing=True
)
