"""The rules about a single light curve: how each is checked, described and marked in a plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from astromer.light_curves import LightCurve
from astromer.records.cleaning import interval, outside
from astromer.records.codec import OLDER_SERIES, parse_record
from astromer.records.config import LightCurveRules
from astromer.records.encoding import RESIDUAL, SERIES
from astromer.records.reader import RecordBatch
from astromer.system.text import shortened
from astromer.validation.config import OFF, WARN, ValidationConfig

_MEANING = {"mjd": "times", "mag": "magnitudes", "errmag": "errors"}
_NEAR_STEPS = 8  # float32 steps: 45 minutes near MJD 59000, a visit's length
_NEAR_EXCESS = 2.5
_EXPECTED = 0.25


class BatchCheck(NamedTuple):
    """What a batch of B light curves breaks.

    Attributes:
        broken: indices of the curves that break a rule, int64 rising, by rule.
        kept: bool [B], False for curves that a rule rejects.
    """

    broken: dict[str, np.ndarray]
    kept: np.ndarray


def check_batch(
    batch: RecordBatch, config: ValidationConfig, limits: LightCurveRules
) -> BatchCheck:
    """Checks a batch that was read leniently, in a few operations on all its observations."""
    series = _Series.of_batch(batch)
    broken = {}
    kept = np.ones(len(batch), bool)
    for name, rule in CURVE_RULES.items():
        severity = getattr(config, name)
        if severity == OFF:
            continue
        if rule.breaks:
            bad = rule.breaks(batch, limits)
        else:
            bad = np.zeros(len(batch), bool)
            bad[series.curve[rule.marked(series, limits)]] = True
        if bad.any():
            broken[name] = np.flatnonzero(bad)
            if severity != WARN:
                kept &= ~bad
    return BatchCheck(broken, kept)


def describe_fault(rule: str, batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    """How a light curve of a batch breaks a rule, for instance "has no ID"."""
    return CURVE_RULES[rule].describe(batch, row, limits)


def marked_observations(rule: str, curve: LightCurve, limits: LightCurveRules) -> np.ndarray:
    """bool [n], the observations that break a rule; none where the whole curve does."""
    if rule not in CURVE_RULES or not len(curve):
        return np.zeros(len(curve), bool)
    one = np.zeros(len(curve), np.int64)
    return CURVE_RULES[rule].marked(_Series(curve.mjd, curve.mag, curve.errmag, one), limits)


class _Series(NamedTuple):
    """The observations of light curves, curve after curve, [n] each.

    ``mjd`` is float64, ``mag`` and ``errmag`` are float32; ``curve`` is int64, rising: the light
    curve that each observation belongs to.
    """

    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    curve: np.ndarray

    @classmethod
    def of_batch(cls, batch: RecordBatch) -> _Series:
        curve = np.repeat(np.arange(len(batch)), batch.lengths)
        return cls(batch.mjd, batch.mag, batch.errmag, curve)

    @classmethod
    def of_row(cls, batch: RecordBatch, row: int) -> _Series:
        span = slice(batch.offsets[row], batch.offsets[row + 1])
        one = np.zeros(batch.lengths[row], np.int64)
        return cls(batch.mjd[span], batch.mag[span], batch.errmag[span], one)


_Describe = Callable[[RecordBatch, int, LightCurveRules], str]


@dataclass(frozen=True)
class CurveRule:
    """One rule about a single light curve.

    Attributes:
        describe: says how a light curve, a row of a batch, breaks the rule.
        breaks: bool [B], the curves of a batch that break it; None where those do that have a
            marked observation.
        marked: bool [n], the observations that break it.
    """

    describe: _Describe
    breaks: Callable[[RecordBatch, LightCurveRules], np.ndarray] | None
    marked: Callable[[_Series, LightCurveRules], np.ndarray] = lambda series, limits: np.zeros(
        len(series.mjd), bool
    )


def _observation_rule(
    bad: Callable[[_Series, LightCurveRules], Mapping[str, np.ndarray]],
    fault: Callable[[_Series, int, LightCurveRules], str],
    describe: _Describe = lambda batch, row, limits: "",
) -> CurveRule:
    """A rule about each observation.

    Args:
        bad: bool [n] by the name of a series, the values that break the rule.
        fault: what is wrong with the first such value.
        describe: replaces the description of the first value, unless it returns "".
    """

    def marked(series: _Series, limits: LightCurveRules) -> np.ndarray:
        return np.logical_or.reduce(list(bad(series, limits).values()))

    def describe_first(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
        if text := describe(batch, row, limits):
            return text
        series = _Series.of_row(batch, row)
        name, wrong = next((n, w) for n, w in bad(series, limits).items() if w.any())
        at, count = int(np.argmax(wrong)), int(wrong.sum())
        value = getattr(series, name)[at]
        shown = _time(value) if name == "mjd" else f"{value:.6g}"
        more = f" (and {count - 1} more)" if count > 1 else ""
        return f"{name}[{at}] = {shown} {fault(series, at, limits)}{more}"

    return CurveRule(describe_first, None, marked)


def _range_rule(name: str) -> CurveRule:
    """The finite values of a series must lie in its range."""

    def bad(series: _Series, limits: LightCurveRules) -> dict[str, np.ndarray]:
        values = getattr(series, name)
        return {name: np.isfinite(values) & outside(values, name, limits)}

    return _observation_rule(bad, lambda series, at, limits: f"is not in {interval(name, limits)}")


def _missing(batch: RecordBatch) -> np.ndarray:
    return np.any(batch.series_lengths[:2] == 0, axis=0)


def _describe_missing(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    counts = batch.series_lengths[:, row].tolist()
    lists = parse_record(batch.serialized[row], batch.location(row)).feature_lists.feature_list
    unknown = sorted({*lists} - {*SERIES, *OLDER_SERIES, RESIDUAL})
    others = ", ".join(map(shortened, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
    if not any(counts):
        if not others:
            return "is an empty light curve"
        return f"has none of {', '.join(SERIES)}, but lists called {others}"
    absent = [f"{_MEANING[n]} ({n})" for n, count in zip(SERIES, counts) if not count]
    instead = f", but lists called {others}" if others else ""
    return f"has no {' and no '.join(absent)}{instead}"


def _describe_unequal(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    counts = batch.series_lengths[:, row].tolist()
    listed = ", ".join(f"{name} {count}" for name, count in zip(SERIES, counts))
    return f"has series of unequal length: {listed}"


def _wrong_count(batch: RecordBatch) -> np.ndarray:
    """bool [B], True for curves with residuals, but not as many as times."""
    counts = batch.residual_lengths
    wrong: np.ndarray = (counts != 0) & (counts != batch.series_lengths[0]) & (batch.lengths > 0)
    return wrong


def _describe_residual(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    if _wrong_count(batch)[row]:
        count = batch.residual_lengths[row]
        return f"has {count} mjd_residual for {batch.series_lengths[0, row]} times"
    largest = batch.largest_residuals[row]
    return f"mjd_residual reaches {largest:.6g} days, more than {limits.max_residual:g}"


def _steps(series: _Series) -> np.ndarray:
    """Time since the observation before; NaN at the start of a curve and beside infinity."""
    mjd, curve = series.mjd, series.curve
    steps = np.full(len(mjd), np.nan)
    with np.errstate(invalid="ignore"):
        steps[1:] = np.where(curve[1:] == curve[:-1], mjd[1:] - mjd[:-1], np.nan)
    steps[np.isinf(steps)] = np.nan
    return steps


def _mark_repeated(series: _Series, limits: LightCurveRules) -> np.ndarray:
    found = np.zeros(len(series.mjd), bool)
    steps = _steps(series)
    if (steps > 0).sum() == np.isfinite(steps).sum() and np.isfinite(series.mjd).all():
        return found  # all times rise
    for side in repeated_observations(*series):
        found[side] = True
    return found


def _describe_repeated(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    series = _Series.of_row(batch, row)
    first, second = repeated_observations(*series)
    before, at = int(first[0]), int(second[0])
    more = f" (and {len(first) - 1} more)" if len(first) > 1 else ""
    return f"mjd[{at}] = {_time(series.mjd[at])} is the time of mjd[{before}] too{more}"


def repeated_observations(
    mjd: np.ndarray, mag: np.ndarray, errmag: np.ndarray, curve: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of observations of one light curve at one time.

    Records without ``mjd_residual`` have float32 times, on which observations minutes apart fall
    together. Such a pair with different values is no repeat where rounding explains it: the light
    curve is so dense that independent times would give 0.25 such pairs or more, or it is
    observed in visits, with 2.5 times as many observations within 8 float32 steps of each other as
    independent times would have.

    Args:
        mjd: float64 [n], days.
        mag, errmag: float32 [n].
        curve: int64 [n], rising, the light curve that each belongs to.

    Returns:
        int64 [pairs] each: the first and the second observation, in the order of time.
    """
    order = np.lexsort((mjd, curve))
    pairs = _equal_neighbours(order, mjd, curve)
    if not len(pairs[0]):
        return pairs
    rounding = _explained_by_rounding(mjd[order], curve[order])
    if not rounding[curve[pairs[0]]].any():
        return pairs
    order = np.lexsort((errmag, mag, mjd, curve))
    first, second = _equal_neighbours(order, mjd, curve)
    same = (mag[first] == mag[second]) & (errmag[first] == errmag[second])
    repeated = ~rounding[curve[first]] | same
    return first[repeated], second[repeated]


def _explained_by_rounding(mjd: np.ndarray, curve: np.ndarray) -> np.ndarray:
    """bool [curves], for observations in the order of time."""
    curves = int(curve[-1]) + 1
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.bincount(curve, mjd != mjd.astype(np.float32), curves) == 0
        step = np.spacing(np.abs(mjd).astype(np.float32)).astype(np.float64)
        gaps = np.diff(mjd)
        near = (np.diff(curve) == 0) & (gaps > 0) & (gaps <= _NEAR_STEPS * step[1:])
    count = np.bincount(curve, minlength=curves)
    last = np.cumsum(count) - 1
    first = np.maximum(last - count + 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # n independent times in a span S: n^2 w / S neighbours closer than w.
        closeness = count.astype(np.float64) ** 2 * step[last] / (mjd[last] - mjd[first])
    # Two times closer than a step fall together in half of the cases.
    dense = closeness / 2 >= _EXPECTED
    seen = np.bincount(curve[1:], near, curves)
    visits = (seen > 1) & (seen >= _NEAR_EXCESS * _NEAR_STEPS * closeness)
    explained: np.ndarray = rounded & (dense | visits)
    return explained


def _equal_neighbours(
    order: np.ndarray, mjd: np.ndarray, curve: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    first, second = order[:-1], order[1:]
    same = (mjd[first] == mjd[second]) & (curve[first] == curve[second]) & np.isfinite(mjd[first])
    return first[same], second[same]


def _too_short(batch: RecordBatch, limits: LightCurveRules) -> np.ndarray:
    few: np.ndarray = (batch.lengths < limits.min_observations) & (batch.lengths > 0)
    return few


def _describe_too_short(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    few = int(batch.lengths[row])
    return f"has {few} observation{'s' if few > 1 else ''}, fewer than {limits.min_observations}"


def _extent(values: np.ndarray, batch: RecordBatch, limits: LightCurveRules) -> np.ndarray:
    """Largest minus smallest value of each curve; NaN for curves that are too short already."""
    extent = np.full(len(batch), np.nan)
    filled = batch.lengths > 0
    if filled.any():
        starts = batch.offsets[:-1][filled]
        with np.errstate(invalid="ignore"):
            largest, smallest = (f.reduceat(values, starts) for f in (np.maximum, np.minimum))
            extent[filled] = largest - smallest
    extent[_too_short(batch, limits)] = np.nan
    return extent


def _wrong_span(batch: RecordBatch, limits: LightCurveRules) -> np.ndarray:
    span = _extent(batch.mjd, batch, limits)
    with np.errstate(invalid="ignore"):
        wrong = (span < limits.min_time_span) | (span > limits.max_time_span)
    return np.isfinite(span) & wrong


def _describe_span(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    mjd = _Series.of_row(batch, row).mjd
    return (
        f"spans {mjd.max() - mjd.min():.6g} days (mjd {_time(mjd.min())} to {_time(mjd.max())}), "
        f"outside {limits.min_time_span:g} to {limits.max_time_span:g}"
    )


def _describe_constant(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    mag = _Series.of_row(batch, row).mag
    return f"all {len(mag)} magnitudes are {mag[0]:.6g}"


def _time(mjd: float) -> str:
    """Days to a tenth of a second."""
    return f"{mjd:.6f}".rstrip("0").rstrip(".") if np.isfinite(mjd) else str(mjd)


CURVE_RULES = {
    "missing_series": CurveRule(_describe_missing, lambda batch, limits: _missing(batch)),
    "unequal_lengths": CurveRule(
        _describe_unequal, lambda batch, limits: (batch.lengths == 0) & ~_missing(batch)
    ),
    "not_finite": _observation_rule(
        lambda series, limits: {
            "mjd": ~np.isfinite(series.mjd),
            "mag": ~np.isfinite(series.mag),
            "errmag": np.isinf(series.errmag),
        },
        lambda series, at, limits: "is not finite",
    ),
    "wrong_residual": CurveRule(
        _describe_residual,
        lambda batch, limits: _wrong_count(batch) | (batch.largest_residuals > limits.max_residual),
    ),
    "missing_errmag": _observation_rule(
        lambda series, limits: {"errmag": np.isnan(series.errmag)},
        lambda series, at, limits: "is missing",
        lambda batch, row, limits: "" if batch.series_lengths[2, row] else "has no errors (errmag)",
    ),
    "unsorted_mjd": _observation_rule(
        lambda series, limits: {"mjd": _steps(series) < 0},
        lambda series, at, limits: f"is not after mjd[{at - 1}] = {_time(series.mjd[at - 1])}",
    ),
    "repeated_mjd": CurveRule(_describe_repeated, None, _mark_repeated),
    "mjd_out_of_range": _range_rule("mjd"),
    "mag_out_of_range": _range_rule("mag"),
    "errmag_out_of_range": _range_rule("errmag"),
    "too_short": CurveRule(_describe_too_short, _too_short),
    "time_span": CurveRule(
        _describe_span,
        _wrong_span,
        lambda series, limits: np.isin(series.mjd, [np.nanmin(series.mjd), np.nanmax(series.mjd)]),
    ),
    "constant_mag": CurveRule(
        _describe_constant,
        lambda batch, limits: (batch.lengths > 1) & (_extent(batch.mag, batch, limits) == 0),
    ),
    "missing_id": CurveRule(
        lambda batch, row, limits: "has no ID",
        lambda batch, limits: np.array([not c.id.strip() for c in batch.contexts()], bool),
    ),
}
"""The rules that need one light curve only; severities and reasons are in ``ValidationConfig``."""
