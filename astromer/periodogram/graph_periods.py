"""The periods of light curves, in the graph of a served model and wherever else they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from astromer.periodogram.graph import (
    fit_harmonics_graph,
    frequency_grid_graph,
    highest_peaks_graph,
    power_spectrum_graph,
    without_left_out_graph,
)
from astromer.periodogram.lomb_scargle import FEWEST, ORDERS, PEAK_WIDTH, PeriodogramConfig

NUM_PEAKS = 3
"""Independent peaks of the periodogram that are kept."""
NUM_FREQUENCIES = 1 + NUM_PEAKS
LEAST_ERROR = 0.005
"""[mag]; smaller errors would give single observations all the weight."""
_AT_ONCE = 2
"""Light curves that are searched side by side: each has its own memory."""
_OUTLYING = 4 * 1.4826
"""Median distances from a series, beyond which an observation is left out: four standard
deviations of a normal distribution."""
_EXACT = (0.0,)
"""A known period is tried as it is."""


class GraphPeriods(NamedTuple):
    """What the searches have found.

    Attributes:
        frequencies: float64 [batch, NUM_FREQUENCIES], 1/day: that of the best harmonic series,
            then the highest peaks; 0 where there is none.
        powers: float64 [batch, NUM_PEAKS], of the peaks, 0 to 1.
        false_alarm: float64 [batch], probability that noise alone has a peak as high as the
            highest; 1 where none was found.
        series: float64 [batch, 2 (highest order + 1)], real, then imaginary coefficients of the
            best harmonic series [mag], as in
            :class:`~astromer.periodogram.lomb_scargle.HarmonicSeries`; the mean alone where there
            is none.
        num_visible: int64 [batch], the observations that were used.
    """

    frequencies: tf.Tensor
    powers: tf.Tensor
    false_alarm: tf.Tensor
    series: tf.Tensor
    num_visible: tf.Tensor


def find_periods_graph(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    errmag: tf.Tensor,
    lengths: tf.Tensor,
    known: tf.Tensor | None = None,
    *,
    config: PeriodogramConfig,
) -> GraphPeriods:
    """Searches each light curve for periods.

    Args:
        times: float64 [N], days since the first observation of each light curve, in increasing
            order, light curve after light curve; visible observations alone.
        magnitudes: float64 [N].
        errmag: float64 [N], 1-sigma errors [mag]; NaN, zero and negative ones are unknown.
        lengths: int64 [batch], visible observations of each light curve.
        known: float64 [batch], the period [days] at which the harmonic series is fitted; others
            than positive numbers are unknown, as all are by default.
        config: where frequencies are searched.
    """
    known = tf.zeros_like(lengths, tf.float64) if known is None else known
    offsets = tf.concat([tf.zeros([1], tf.int64), tf.cumsum(lengths)], axis=0)
    errors = usable_errors(errmag, owners(lengths), tf.size(lengths))

    def search(bounds: tf.Tensor, period: tf.Tensor) -> tuple[tf.Tensor, ...]:
        part = slice(bounds[0], bounds[1])
        return _search_curve(times[part], magnitudes[part], errors[part], period, config)

    frequencies, powers, false_alarm, series = tf.map_fn(
        lambda one: search(*one),
        (tf.stack([offsets[:-1], offsets[1:]], axis=1), known),
        fn_output_signature=(
            tf.TensorSpec([NUM_FREQUENCIES], tf.float64),
            tf.TensorSpec([NUM_PEAKS], tf.float64),
            tf.TensorSpec([], tf.float64),
            tf.TensorSpec([2 * (ORDERS[-1] + 1)], tf.float64),
        ),
        parallel_iterations=_AT_ONCE,
    )
    return GraphPeriods(frequencies, powers, false_alarm, series, lengths)


def _search_curve(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    errmag: tf.Tensor,
    known: tf.Tensor,
    config: PeriodogramConfig,
) -> tuple[tf.Tensor, ...]:
    """The fields of :class:`GraphPeriods` for one light curve, but for the last."""
    count = tf.size(times, tf.int64)
    mean = tf.math.divide_no_nan(tf.reduce_sum(magnitudes), tf.cast(count, tf.float64))

    def nothing() -> tuple[tf.Tensor, ...]:
        series = tf.pad(mean[None], [[0, 2 * (ORDERS[-1] + 1) - 1]])
        zeros = [tf.zeros([size], tf.float64) for size in (NUM_FREQUENCIES, NUM_PEAKS)]
        return (*zeros, tf.ones([], tf.float64), series)

    span = tf.reduce_max(times) - tf.reduce_min(times)  # of no times it is -inf
    step, number = frequency_grid_graph(tf.where(count < FEWEST, tf.zeros_like(span), span), config)

    def search() -> tuple[tf.Tensor, ...]:
        residual = magnitudes - mean
        power = power_spectrum_graph(times, residual, errmag**-2, step, number)
        if config.left_out:
            grid = step * tf.range(1, tf.size(power) + 1, dtype=tf.float64)
            power = without_left_out_graph(power, grid, step, config)
        peaks, powers = highest_peaks_graph(power, step, NUM_PEAKS, PEAK_WIDTH)
        on_grid = tf.round(peaks / step) * step
        frequency, coefficients = tf.cond(
            known > 0,
            lambda: fit_harmonics_graph(
                times,
                residual,
                1 / known[None],
                step,
                tf.ones_like(number),
                offsets=_EXACT,
                halves=False,
            ),
            lambda: fit_harmonics_graph(times, residual, on_grid, step, number, config=config),
        )
        frequency = tf.where(known > 0, 1 / known, frequency)
        frequency, coefficients = _without_outliers(
            times, residual, frequency, coefficients, tf.where(known > 0, 0 * step, step)
        )
        real, imaginary = tf.math.real(coefficients), tf.math.imag(coefficients)
        series = tf.concat([real[:1] + mean, real[1:], imaginary], axis=0)
        false_alarm = _false_alarm_probability(
            powers[0], times, errmag, step * tf.cast(number, tf.float64)
        )
        return tf.concat([frequency[None], peaks], axis=0), powers, false_alarm, series

    return tf.cond(number > 0, search, nothing)


def _without_outliers(
    times: tf.Tensor,
    magnitudes: tf.Tensor,
    frequency: tf.Tensor,
    coefficients: tf.Tensor,
    step: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """A series fitted again, near its frequency, without the observations far from it.

    Some magnitudes that a training shows are those of other steps, and surveys have wrong ones.

    Args:
        times, magnitudes: float64 [n], days and mag.
        frequency, coefficients: from :func:`fit_harmonics_graph`.
        step: float64 [], spacing of the frequencies that are tried [1/day].
    """
    cycles = frequency * times
    angle = 2 * np.pi * (cycles - tf.floor(cycles))
    waves = sum_of_harmonics(angle, tf.unstack(coefficients[1:], ORDERS[-1]))
    distance = tf.abs(magnitudes - tf.math.real(coefficients[0]) - waves)
    near = distance < _OUTLYING * tf.sort(distance)[tf.size(distance) // 2]

    def again() -> tuple[tf.Tensor, tf.Tensor]:
        one = tf.ones([], tf.int64)
        fitted = fit_harmonics_graph(
            times[near], magnitudes[near], frequency[None], step, one, halves=False
        )
        return tf.cond(fitted[0] > 0, lambda: fitted, lambda: (frequency, coefficients))

    enough = tf.math.count_nonzero(near) >= FEWEST
    return tf.cond((frequency > 0) & enough, again, lambda: (frequency, coefficients))


def usable_errors(errmag: tf.Tensor, row: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """float64 [N], of at least :data:`LEAST_ERROR`; of unknown ones the mean, 1 without any.

    Args:
        errmag: float64 [N], see :func:`find_periods_graph`.
        row: int64 [N], the light curve of each, of as many as ``rows``, int32 [].
    """
    known = errmag > 0
    number = tf.math.unsorted_segment_sum(tf.cast(known, errmag.dtype), row, rows)
    total = tf.math.unsorted_segment_sum(tf.where(known, errmag, 0.0), row, rows)
    mean = tf.where(number > 0, total / tf.maximum(number, 1.0), 1.0)
    return tf.maximum(tf.where(known, errmag, tf.gather(mean, row)), LEAST_ERROR)


def owners(counts: tf.Tensor) -> tf.Tensor:
    """int64 [sum(counts)], row i repeated ``counts[i]`` times; ``counts`` is int64 [rows]."""
    # tf.repeat would allocate a matrix of rows by the largest count.
    total = tf.reduce_sum(counts)
    starts = tf.cumsum(counts, exclusive=True)
    begun = tf.math.unsorted_segment_sum(tf.ones_like(counts), starts, total + 1)
    return tf.cumsum(begun)[:total] - 1


def _false_alarm_probability(
    power: tf.Tensor, times: tf.Tensor, errmag: tf.Tensor, max_frequency: tf.Tensor
) -> tf.Tensor:
    """Upper bound of the probability that white noise has a peak as high (Baluev 2008, MNRAS 385,
    1279, eq. 5 and 6, for a normalised periodogram with a floating mean).

    Args:
        power: float64 [], of the highest peak, 0 to 1.
        times, errmag: float64 [n], days and mag, n > 3.
        max_frequency: float64 [], of the search [1/day].
    """
    count = tf.cast(tf.size(times), tf.float64)
    weights = errmag**-2
    weights /= tf.reduce_sum(weights)
    centred = times - tf.reduce_sum(weights * times)
    width = max_frequency * tf.sqrt(4 * np.pi * tf.reduce_sum(weights * centred**2))
    gamma = tf.exp(tf.math.lgamma((count - 1) / 2) - tf.math.lgamma((count - 2) / 2))
    gamma *= tf.sqrt(2 / (count - 1))
    left = tf.maximum(1 - power, 0.0)
    expected = gamma * width * left ** ((count - 4) / 2)
    expected *= tf.sqrt((count - 1) / 2 * tf.maximum(power, 0.0))
    single = left ** ((count - 3) / 2)
    return tf.minimum(-tf.math.expm1(-expected) + single * tf.exp(-expected), 1.0)


def sum_of_harmonics(angle: tf.Tensor, coefficients: Sequence[tf.Tensor]) -> tf.Tensor:
    """float64 [n], the values of a harmonic series without its mean.

    Args:
        angle: float64 [n], of the first harmonic.
        coefficients: complex128 [n] or [] each, of the harmonics from the first on, see
            :class:`GraphPeriods`.
    """
    z = tf.complex(tf.cos(angle), tf.sin(angle))
    value = tf.zeros_like(z)
    for coefficient in reversed(coefficients):  # Horner's scheme
        value = (value + coefficient) * z
    return 2 * tf.math.real(value)


def series_shape(series: tf.Tensor, harmonics: int, least: float) -> tf.Tensor:
    """Amplitudes of a series' harmonics, ratios to the first (R21, R31, ...) and phases relative to
    it (phi21, phi31, ...; Simon & Lee 1981, ApJ 248, 291).

    Args:
        series: float [batch, 2 (highest order + 1)], see :class:`GraphPeriods`.
        harmonics: how many.
        least: amplitude below which one counts as this one.

    Returns:
        float [batch, 4 harmonics - 3], logarithms of amplitudes, ratios of at most 3, cosines and
        sines of phases.
    """
    real, imaginary = (part[:, 1 : harmonics + 1] for part in tf.split(series, 2, axis=-1))
    amplitude = tf.sqrt(tf.square(real) + tf.square(imaginary))
    ratio = amplitude[:, 1:] / tf.maximum(amplitude[:, :1], least)
    phase = tf.math.atan2(imaginary, real)
    relative = phase[:, 1:] - phase[:, :1] * tf.range(2, harmonics + 1, dtype=series.dtype)
    there = tf.cast(amplitude[:, 1:] > 0, series.dtype)
    columns = [
        decimal_log(amplitude, least),
        tf.minimum(ratio, 3.0),
        tf.cos(relative) * there,
        tf.sin(relative) * there,
    ]
    return tf.concat(columns, axis=1)


def decimal_log(x: tf.Tensor, least: float) -> tf.Tensor:
    """The decimal logarithm, of ``least`` at least."""
    return tf.math.log(tf.maximum(x, least)) / tf.constant(np.log(10), x.dtype)
