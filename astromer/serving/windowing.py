"""Raw light curves to windows, inside the graph."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from pipeline_config import LightCurveRules


class GraphWindows(NamedTuple):
    """Windows of a batch of light curves.

    Attributes:
        times: float32 [num_windows, window_size], days since the window's mean, 0 at padding.
        magnitudes: float32 [num_windows, window_size], centred (and scaled), 0 where not visible.
        observed: bool [num_windows, window_size].
        visible: bool [num_windows, window_size], observed and not hidden by the caller.
        centre, scale: float32 [num_windows], magnitude = centre + scale * centred [mag].
        row: int64 [num_windows], the light curve of each window.
        position: int64 [num_windows, window_size], the step's place in the input row.
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
    time_fits = (mjd >= rules.min_mjd) & (mjd <= rules.max_mjd)
    value_fits = (mag >= rules.min_mag) & (mag <= rules.max_mag)
    error_fits = (errmag > rules.min_errmag) & (errmag < rules.max_errmag)
    error_fits |= tf.math.is_nan(errmag)
    return inside & time_fits & (~shown | (value_fits & error_fits))


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
    last = tf.constant(float("inf"), tf.float64)
    position = tf.argsort(tf.where(usable, mjd, last), axis=1, stable=True)
    count = tf.math.count_nonzero(usable, axis=1)

    steps = tf.shape(mjd)[1]
    per_curve = tf.maximum((steps + window_size - 1) // window_size, 1)
    padding = [[0, 0], [0, per_curve * window_size - steps]]

    def cut(values: tf.Tensor) -> tf.Tensor:
        return tf.reshape(
            tf.pad(tf.gather(values, position, batch_dims=1), padding), [-1, window_size]
        )

    usable_windows = cut(usable)
    filled = tf.reduce_any(usable_windows, axis=1)
    row = tf.repeat(tf.range(tf.shape(mjd, tf.int64)[0]), per_curve)

    def keep(values: tf.Tensor) -> tf.Tensor:
        return tf.boolean_mask(values, filled)

    observed = keep(usable_windows)
    visible = observed & keep(cut(shown))
    # Unusable values may be NaN: they are replaced, never multiplied by zero.
    time = tf.where(observed, keep(cut(mjd)), 0.0)
    times = tf.where(observed, time - _mean(time, observed)[:, None], 0.0)
    magnitude = tf.where(visible, tf.cast(keep(cut(mag)), tf.float64), 0.0)
    centre = _mean(magnitude, visible)
    residual = tf.where(visible, magnitude - centre[:, None], 0.0)
    scale = tf.ones_like(centre)
    if normalise:
        spread = tf.sqrt(_mean(residual**2, visible))
        scale = tf.where(spread > 0, spread, 1.0)
    indices = tf.reshape(tf.pad(position, padding), [-1, window_size])
    return GraphWindows(
        times=tf.cast(times, tf.float32),
        magnitudes=tf.cast(residual / scale[:, None], tf.float32),
        observed=observed,
        visible=visible,
        centre=tf.cast(centre, tf.float32),
        scale=tf.cast(scale, tf.float32),
        row=keep(row),
        position=tf.cast(keep(indices), tf.int64),
        num_observations=count,
    )


def _mean(values: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    count = tf.math.count_nonzero(chosen, axis=1, dtype=values.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(tf.where(chosen, values, 0.0), axis=1), count)
