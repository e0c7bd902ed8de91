"""Raw light curves to windows, inside the graph."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from astromer.records.config import LightCurveRules
from astromer.serving.observations import Observations, owners


class GraphWindows(NamedTuple):
    """Windows of a batch of light curves.

    Attributes:
        times: float32 [num_windows, window_size], days since the window's mean, 0 at padding.
        magnitudes: float32 [num_windows, window_size], centred (and scaled), 0 where not visible.
        observed: bool [num_windows, window_size].
        visible: bool [num_windows, window_size], observed and not hidden by the caller.
        centre, scale: float32 [num_windows], magnitude = centre + scale * centred [mag].
        row: int64 [num_windows], the light curve of each window.
        position: int64 [num_windows, window_size], the step's place in the input row; at padding
            without meaning.
        num_observations: int64 [batch], usable observations of each light curve.
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


def usable_steps(
    mjd: tf.Tensor,
    mag: tf.Tensor,
    errmag: tf.Tensor,
    length: tf.Tensor,
    shown: tf.Tensor,
    rules: LightCurveRules,
) -> tf.Tensor:
    """bool [batch, steps]: steps before ``length`` whose values keep the rules.

    NaN and infinity never do, but a NaN error is accepted: it means that the survey gives none,
    and the encoder reads no errors. Where the magnitude is not shown, magnitude and error are not
    looked at: what is hidden must not change anything.
    """
    inside = tf.range(tf.shape(mjd)[1])[None, :] < tf.cast(length, tf.int32)[:, None]
    return inside & usable_values(mjd, mag, errmag, shown, rules)


def usable_values(
    mjd: tf.Tensor, mag: tf.Tensor, errmag: tf.Tensor, shown: tf.Tensor, rules: LightCurveRules
) -> tf.Tensor:
    """bool, of the shape of the arguments: what :func:`usable_steps` says, whatever the length."""
    time_fits = (mjd >= rules.min_mjd) & (mjd <= rules.max_mjd)
    value_fits = (mag >= rules.min_mag) & (mag <= rules.max_mag)
    error_fits = (errmag > rules.min_errmag) & (errmag < rules.max_errmag)
    error_fits |= tf.math.is_nan(errmag)
    return time_fits & (~shown | (value_fits & error_fits))


def cut_windows(
    mjd: tf.Tensor,
    mag: tf.Tensor,
    usable: tf.Tensor,
    shown: tf.Tensor,
    window_size: int,
    normalise: bool,
) -> GraphWindows:
    """Sorts by time, drops unusable steps, and cuts windows without overlap.

    Args:
        mjd: float64 [batch, steps], days.
        mag: float32 [batch, steps].
        usable: bool [batch, steps]; other steps are dropped.
        shown: bool [batch, steps], False at steps whose magnitude is to be hidden.
        window_size: observations per window; the last window of a curve may be short.
        normalise: whether to divide by the visible spread.
    """
    place = tf.where(usable)
    magnitudes = tf.boolean_mask(mag, usable)
    observations = Observations(
        mjd=tf.boolean_mask(mjd, usable),
        mag=magnitudes,
        errmag=tf.zeros_like(magnitudes),
        row=place[:, 0],
        position=place[:, 1],
        problem=tf.zeros(tf.shape(mjd)[:1], tf.int32),
    )
    return cut_observations(observations, tf.boolean_mask(shown, usable), window_size, normalise)


def cut_observations(
    observations: Observations, shown: tf.Tensor, window_size: int, normalise: bool
) -> GraphWindows:
    """As :func:`cut_windows`, from usable observations end to end.

    Args:
        observations: usable ones; their errors are not read.
        shown: bool [N], False at observations whose magnitude is to be hidden.
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
    # Unusable values may be NaN: they are replaced, never multiplied by zero.
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
    return GraphWindows(
        times=tf.cast(times, tf.float32),
        magnitudes=tf.cast(residual / scale[:, None], tf.float32),
        observed=observed,
        visible=visible,
        centre=tf.cast(centre, tf.float32),
        scale=tf.cast(scale, tf.float32),
        row=row,
        position=tf.gather(observations.position, index),
        num_observations=count,
    )


def _by_row_and_time(row: tf.Tensor, mjd: tf.Tensor) -> tf.Tensor:
    """int32 [N], the order of row, within a row of time, and of the input where times are equal."""

    def found() -> tf.Tensor:
        by_time = tf.argsort(mjd, stable=True)
        return tf.gather(by_time, tf.argsort(tf.gather(row, by_time), stable=True))

    next_row = row[1:] > row[:-1]
    later = (row[1:] == row[:-1]) & (mjd[1:] >= mjd[:-1])
    return tf.cond(tf.reduce_all(next_row | later), lambda: tf.range(tf.size(row)), found)


def _mean(values: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    count = tf.math.count_nonzero(chosen, axis=1, dtype=values.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(tf.where(chosen, values, 0.0), axis=1), count)
