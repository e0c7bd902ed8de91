"""Judges the light curves of a batch one by one, as far as each tells by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from astromer.records.config import LightCurveRules
from astromer.records.limits import outside
from astromer.records.reader import RecordBatch
from astromer.validation import explanations as wording
from astromer.validation.config import ValidationConfig
from astromer.validation.repeats import repeated_observations
from astromer.validation.rules import OFF, WARN

_Words = Callable[[RecordBatch, int, LightCurveRules], str]


@dataclass(frozen=True)
class Judgement:
    """What a batch of B light curves breaks.

    Attributes:
        broken: indices of the curves that break a rule, int64 rising, by rule.
        kept: bool [B], False for curves that a rule rejects.
    """

    broken: dict[str, np.ndarray]
    kept: np.ndarray


WORDS: dict[str, _Words] = {
    "missing_series": wording.missing_series,
    "unequal_lengths": wording.unequal_lengths,
    "not_finite": wording.not_finite,
    "wrong_residual": wording.wrong_residual,
    "missing_errmag": wording.missing_errmag,
    "unsorted_mjd": wording.unsorted_mjd,
    "repeated_mjd": wording.repeated_mjd,
    "mjd_out_of_range": wording.mjd_out_of_range,
    "mag_out_of_range": wording.mag_out_of_range,
    "errmag_out_of_range": wording.errmag_out_of_range,
    "too_short": wording.too_short,
    "time_span": wording.time_span,
    "constant_mag": wording.constant_mag,
    "missing_id": wording.missing_id,
}
"""The rules that need one light curve only, and how to say what breaks them."""


def judge(batch: RecordBatch, config: ValidationConfig, limits: LightCurveRules) -> Judgement:
    """Looks at a batch that was read leniently; costs a few passes over its observations."""
    tests = _tests(batch, limits)
    broken = {}
    kept = np.ones(len(batch), bool)
    for rule in WORDS:
        severity = getattr(config, rule)
        if severity == OFF or not (bad := tests[rule]()).any():
            continue
        broken[rule] = np.flatnonzero(bad)
        if severity != WARN:
            kept &= ~bad
    return Judgement(broken, kept)


def _tests(batch: RecordBatch, limits: LightCurveRules) -> dict[str, Callable[[], np.ndarray]]:
    """For each rule, what tells the curves that break it: bool [B]."""
    lengths = batch.lengths
    curve = np.repeat(np.arange(len(batch)), lengths)
    finite = {name: np.isfinite(getattr(batch, name)) for name in ("mjd", "mag", "errmag")}
    # A curve that is too short is not accused of what follows from that.
    long_enough = (lengths >= limits.min_observations) & (lengths > 0)

    def any_of(observations: np.ndarray) -> np.ndarray:
        found = np.zeros(len(batch), bool)
        found[curve[observations]] = True
        return found

    def not_finite() -> np.ndarray:
        return any_of(~finite["mjd"] | ~finite["mag"] | np.isinf(batch.errmag))

    def unsorted() -> np.ndarray:
        return any_of(_steps_of(batch.mjd, curve) < 0)

    def repeated() -> np.ndarray:
        steps = _steps_of(batch.mjd, curve)
        if (steps > 0).sum() == np.isfinite(steps).sum() and np.isfinite(batch.mjd).all():
            return np.zeros(len(batch), bool)  # all times rise
        return any_of(repeated_observations(batch.mjd, batch.mag, batch.errmag, curve)[0])

    def out_of_range(series: str) -> Callable[[], np.ndarray]:
        values = getattr(batch, series)
        return lambda: any_of(finite[series] & outside(values, series, limits))

    def time_span() -> np.ndarray:
        span = _extent(batch.mjd, lengths)
        with np.errstate(invalid="ignore"):
            wrong = (span < limits.min_time_span) | (span > limits.max_time_span)
        return long_enough & np.isfinite(span) & wrong

    missing = (batch.series_lengths[:2] == 0).any(axis=0)
    return {
        "missing_series": lambda: missing,
        "unequal_lengths": lambda: (lengths == 0) & ~missing,
        "not_finite": not_finite,
        "wrong_residual": lambda: (
            wording.residuals_do_not_fit(batch) | (batch.largest_residuals > limits.max_residual)
        ),
        "missing_errmag": lambda: any_of(np.isnan(batch.errmag)),
        "unsorted_mjd": unsorted,
        "repeated_mjd": repeated,
        "mjd_out_of_range": out_of_range("mjd"),
        "mag_out_of_range": out_of_range("mag"),
        "errmag_out_of_range": out_of_range("errmag"),
        "too_short": lambda: (lengths < limits.min_observations) & (lengths > 0),
        "time_span": time_span,
        "constant_mag": lambda: (lengths > 1) & long_enough & (_extent(batch.mag, lengths) == 0),
        "missing_id": lambda: np.array(
            [not context.id.strip() for context in batch.contexts()], bool
        ),
    }


def _steps_of(mjd: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """Time since the observation before; NaN at the start of a curve and beside infinity."""
    steps = np.full(len(mjd), np.nan)
    with np.errstate(invalid="ignore"):
        steps[1:] = np.where(curve[1:] == curve[:-1], mjd[1:] - mjd[:-1], np.nan)
    steps[np.isinf(steps)] = np.nan
    return steps


def _extent(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Largest minus smallest value of each curve, NaN for curves without values."""
    extent = np.full(len(lengths), np.nan)
    filled = lengths > 0
    if filled.any():
        starts = (np.cumsum(lengths) - lengths)[filled]
        with np.errstate(invalid="ignore"):
            extent[filled] = np.maximum.reduceat(values, starts) - np.minimum.reduceat(
                values, starts
            )
    return extent
