"""Inside the graph: cuts light curves into windows, and draws the observations to hide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from astromer.periodogram.graph_periods import GraphPeriods, find_periods_graph, owners
from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.records.config import LightCurveRules
from astromer.serving.graph_input import GraphObservations


class GraphWindows(NamedTuple):
    """Windows of a batch of light curves.

    Attributes:
        times: float32 [num_windows, window_size], days since the window's mean, 0 at padding.
        magnitudes: float32 [num_windows, window_size], centred (and scaled), 0 where not visible.
        observed: bool [num_windows, window_size].
        visible: bool [num_windows, window_size], observed and not hidden by the caller.
        centre, scale: float32 [num_windows], magnitude = centre + scale * centred [mag].
        row: int64 [num_windows], the light curve of each window.
        position: int64 [num_windows, window_size], index in the input row; arbitrary at padding.
        num_observations: int64 [batch], usable observations of each light curve.
        folded: further inputs of the network by name, [num_windows, window_size or 1, ...]; see
            :func:`astromer.encoder.folding.fold`.
        periods: of each light curve; None for a network that reads none.
        series: what they were found in, as from :func:`visible_series`.
    """

    times: tf.Tensor
    magnitudes: tf.Tensor
    observed: tf.Tensor
    visible: tf.Tensor
    centre: tf.Tensor
    scale: tf.Tensor
    row: tf.Tensor
    position: tf.Tensor
    num_observations: tf.Tensor
    folded: Mapping[str, tf.Tensor]
    periods: GraphPeriods | None = None
    series: tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor] | None = None

    @property
    def inputs(self) -> dict[str, tf.Tensor]:
        """What the network reads, by name."""
        return {
            "times": self.times,
            "magnitudes": self.magnitudes,
            "visible": self.visible,
            **self.folded,
        }


def usable_values(
    mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, shown: tf.Tensor, rules: LightCurveRules
) -> tf.Tensor:
    """bool, of the shape of the arguments: which observations keep the rules.

    NaN and infinity never do, except that a NaN error is accepted: the survey gives none, and an
    encoder that reads errors takes it as unknown. Magnitude and error of a hidden step are ignored,
    so that hidden values cannot change anything.
    """
    time_fits = (mjd >= rules.min_mjd) & (mjd <= rules.max_mjd)
    value_fits = (mag >= rules.min_mag) & (mag <= rules.max_mag)
    error_fits = (errmag > rules.min_errmag) & (errmag < rules.max_errmag)
    error_fits |= tf.math.is_nan(errmag)
    return time_fits & (~shown | (value_fits & error_fits))


def cut_observations(
    observations: GraphObservations,
    shown: tf.Tensor,
    window_size: int,
    normalise: bool,
    periodogram: PeriodogramConfig | None = None,
    known: tf.Tensor | None = None,
) -> GraphWindows:
    """Sorts the observations of each light curve by time, and cuts windows without overlap.

    Args:
        observations: usable ones.
        shown: bool [N], False at observations whose magnitude is to be hidden.
        window_size: observations per window; the last window of a light curve may be short.
        normalise: whether to divide by the visible spread.
        periodogram: where periods to fold at are searched; by default nothing is folded, and errors
            are not read.
        known: float64 [batch], periods [days] to fold at; others than positive ones are searched.
    """
    order = _by_row_and_time(observations.row, observations.mjd)
    batch = tf.size(observations.problem, tf.int64)
    count = tf.math.unsorted_segment_sum(tf.ones_like(observations.row), observations.row, batch)
    per_curve = (count + window_size - 1) // window_size
    row = owners(per_curve)
    before = tf.gather(tf.cumsum(per_curve, exclusive=True), row)
    skipped = (tf.range(tf.size(row, tf.int64)) - before) * window_size
    length = tf.minimum(tf.gather(count, row) - skipped, window_size)
    start = tf.gather(tf.cumsum(count, exclusive=True), row) + skipped
    step = tf.range(window_size, dtype=tf.int64)[None, :]
    observed = step < length[:, None]
    index = tf.gather(order, tf.where(observed, start[:, None] + step, 0))

    visible = observed & tf.gather(shown, index)
    # Unusable values may be NaN: replace them, since 0 * NaN is NaN.
    time = tf.where(observed, tf.gather(observations.mjd, index), 0.0)
    times = tf.where(observed, time - _mean(time, observed)[:, None], 0.0)
    mag = tf.cast(tf.gather(observations.mag, index), tf.float64)
    magnitude = tf.where(visible, mag, 0.0)
    centre = _mean(magnitude, visible)
    residual = tf.where(visible, magnitude - centre[:, None], 0.0)
    scale = tf.ones_like(centre)
    if normalise:
        spread = tf.sqrt(_mean(residual**2, visible))
        scale = tf.where(spread > 0, spread, 1.0)
    windows = GraphWindows(
        times=tf.cast(times, tf.float32),
        magnitudes=tf.cast(residual / scale[:, None], tf.float32),
        observed=observed,
        visible=visible,
        centre=tf.cast(centre, tf.float32),
        scale=tf.cast(scale, tf.float32),
        row=row,
        position=tf.gather(observations.position, index),
        num_observations=count,
        folded={},
    )
    if periodogram is None:
        return windows
    series, first = visible_series(observations, shown)
    periods = find_periods_graph(*series, known, config=periodogram)
    elapsed = tf.where(observed, time - tf.gather(first, row)[:, None], 0.0)
    errmag = tf.gather(observations.errmag, index)
    folded = _fold(windows, periods, elapsed, errmag)
    return windows._replace(folded=folded, periods=periods, series=series)


def visible_series(
    observations: GraphObservations, shown: tf.Tensor
) -> tuple[tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    """The shown observations, sorted by light curve and time, as a search for periods reads them.

    Args:
        observations: usable ones.
        shown: bool [N].

    Returns:
        Times, magnitudes, errors and lengths for
        :func:`astromer.periodogram.graph_periods.find_periods_graph`, and the time of the first
        observation of each light curve, float64 [batch], hidden ones included.
    """
    order = _by_row_and_time(observations.row, observations.mjd)
    batch = tf.size(observations.problem, tf.int64)
    count = tf.math.unsorted_segment_sum(tf.ones_like(observations.row), observations.row, batch)
    ordered = [tf.gather(values, order) for values in (observations.mjd, observations.row, shown)]
    mjd, row_of, seen = ordered
    # Beyond the last observation of an empty row there is none to start from.
    starts = tf.minimum(tf.cumsum(count, exclusive=True), tf.maximum(tf.size(mjd, tf.int64) - 1, 0))
    first = tf.gather(tf.pad(mjd, [[0, 1]]), starts)
    chosen = tf.boolean_mask(order, seen)
    series = (
        tf.boolean_mask(mjd - tf.gather(first, row_of), seen),
        tf.cast(tf.gather(observations.mag, chosen), tf.float64),
        tf.cast(tf.gather(observations.errmag, chosen), tf.float64),
        tf.math.unsorted_segment_sum(tf.cast(seen, tf.int64), row_of, batch),
    )
    return series, first


def _fold(
    windows: GraphWindows, periods: GraphPeriods, elapsed: tf.Tensor, errmag: tf.Tensor
) -> dict[str, tf.Tensor]:
    """:func:`astromer.encoder.folding.fold`, in the graph.

    Args:
        windows: the windows, not folded yet.
        periods: of the light curves.
        elapsed: float64 [num_windows, window_size], days since the first observation of each light
            curve.
        errmag: float32 [num_windows, window_size].
    """
    frequencies = tf.gather(periods.frequencies, windows.row)
    cycles = 0.5 * elapsed[..., None] * frequencies[:, None, :]
    scale = tf.cast(windows.scale, tf.float64)[:, None]
    series = tf.gather(periods.series, windows.row) / scale
    centre = tf.cast(windows.centre, tf.float64)[:, None] / scale
    series = tf.concat([series[:, :1] - centre, series[:, 1:]], axis=1)
    search = [
        frequencies,
        tf.gather(periods.powers, windows.row),
        tf.cast(tf.gather(periods.num_visible, windows.row), tf.float64)[:, None],
        scale,
    ]
    return {
        "errmag": tf.where(windows.visible & (errmag > 0), errmag, 0.0),
        "phases": tf.cast(cycles - tf.floor(cycles), tf.float32),
        "series": tf.cast(series, tf.float32)[:, None],
        "search": tf.cast(tf.concat(search, axis=1), tf.float32)[:, None],
    }


def draw_hidden(
    observations: GraphObservations, seed: tf.Tensor, probed: tf.Tensor, window_size: int
) -> tf.Tensor:
    """Draws floor(probed n) of the n observations of each window.

    The draw of a light curve depends only on ``seed`` and its own times, not on padding, the order
    of rows and steps, the rest of the batch, or the magnitudes.

    Args:
        observations: usable ones.
        seed: int64 [].
        probed: float32 [], in [0, 1].
        window_size: observations per window.

    Returns:
        bool [N].
    """
    of_time = _mix_bits(tf.bitcast(observations.mjd, tf.uint64))
    batch = tf.size(observations.problem, tf.int64)
    # A sum does not depend on the order. It wraps around, as all uint64 arithmetic here.
    of_row = tf.math.unsorted_segment_sum(of_time, observations.row, batch)
    of_row = _mix_bits(of_row + _mix_bits(tf.cast(seed, tf.uint64)))
    drawn = _mix_bits(of_time + tf.gather(of_row, observations.row))
    # Signed 62-bit numbers, so that padding can get a larger one.
    drawn = tf.cast(tf.bitwise.right_shift(drawn, tf.constant(2, tf.uint64)), tf.int64)

    index = tf.range(tf.size(observations.row, tf.int64))
    none_hidden = tf.zeros_like(observations.mag, tf.bool)
    windows = cut_observations(
        observations._replace(position=index), none_hidden, window_size, normalise=False
    )
    keys = tf.where(windows.observed, tf.gather(drawn, windows.position), tf.int64.max)
    rank = tf.argsort(tf.argsort(keys, axis=1, stable=True), axis=1)
    length = tf.cast(tf.math.count_nonzero(windows.observed, axis=1), tf.float64)
    # 0.7 in float32 is less than 0.7: without the shift, 0.7 of 10 would be 6.
    count = tf.floor((tf.cast(probed, tf.float64) + 1e-6) * length)
    chosen = windows.observed & (tf.cast(rank, tf.float64) < count[:, None])
    hidden = tf.boolean_mask(windows.position, chosen)[:, None]
    return tf.tensor_scatter_nd_update(none_hidden, hidden, tf.ones_like(hidden[:, 0], tf.bool))


def _by_row_and_time(row: tf.Tensor, mjd: tf.Tensor) -> tf.Tensor:
    """int32 [N], indices that sort stably by row, then by time."""

    def sort() -> tf.Tensor:
        by_time = tf.argsort(mjd, stable=True)
        return tf.gather(by_time, tf.argsort(tf.gather(row, by_time), stable=True))

    next_row = row[1:] > row[:-1]
    later = (row[1:] == row[:-1]) & (mjd[1:] >= mjd[:-1])
    return tf.cond(tf.reduce_all(next_row | later), lambda: tf.range(tf.size(row)), sort)


def _mean(values: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    count = tf.math.count_nonzero(chosen, axis=1, dtype=values.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(tf.where(chosen, values, 0.0), axis=1), count)


def _mix_bits(x: tf.Tensor) -> tf.Tensor:
    """uint64 to uint64, the finalizer of SplitMix64 (Steele et al. 2014, OOPSLA)."""
    x += tf.constant(0x9E3779B97F4A7C15, tf.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = _shifted(x, shift) * tf.constant(factor, tf.uint64)
    return _shifted(x, 31)


def _shifted(x: tf.Tensor, shift: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(shift, tf.uint64)))
