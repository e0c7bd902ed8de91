"""What a light curve shows that breaks a rule, in words; one function for each rule."""

from __future__ import annotations

import numpy as np

from astromer.records.canonical import parse_record
from astromer.records.codec import OLDER_SERIES, RESIDUAL, SERIES
from astromer.records.config import LightCurveRules
from astromer.records.limits import interval, outside
from astromer.records.reader import RecordBatch
from astromer.system.text import shortened
from astromer.validation.repeats import repeated_observations

_MEANING = {"mjd": "times", "mag": "magnitudes", "errmag": "errors"}


def missing_series(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    counts = batch.series_lengths[:, row].tolist()
    others = _other_lists(batch, row)
    if not any(counts) and not others:
        return "is an empty light curve"
    if not any(counts):
        return f"has none of {', '.join(SERIES)}, but lists called {others}"
    absent = [f"{_MEANING[n]} ({n})" for n, count in zip(SERIES, counts) if not count]
    instead = f", but lists called {others}" if others else ""
    return f"has no {' and no '.join(absent)}{instead}"


def _other_lists(batch: RecordBatch, row: int) -> str:
    """Names of feature lists that are not understood."""
    lists = parse_record(batch.serialized[row], batch.place(row)).feature_lists.feature_list
    others = sorted({*lists} - {*SERIES, *OLDER_SERIES, RESIDUAL})
    return ", ".join(map(shortened, others[:5])) + (", ..." if len(others) > 5 else "")


def unequal_lengths(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    counts = batch.series_lengths[:, row].tolist()
    listed = ", ".join(f"{name} {count}" for name, count in zip(SERIES, counts))
    return f"has series of unequal length: {listed}"


def not_finite(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    for series in SERIES:
        values = _values(batch, row, series)
        bad = np.isinf(values) if series == "errmag" else ~np.isfinite(values)
        if bad.any():
            return f"{_first(series, values, bad)} is not finite{_more(bad)}"
    raise ValueError("all values are finite")


def residuals_do_not_fit(batch: RecordBatch) -> np.ndarray:
    """bool [B], True for curves with residuals that are not as many as their times."""
    times = batch.series_lengths[0]
    fit: np.ndarray = (batch.residual_lengths == 0) | (batch.residual_lengths == times)
    return ~fit & (batch.lengths > 0)


def wrong_residual(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    if residuals_do_not_fit(batch)[row]:
        count = batch.residual_lengths[row]
        return f"has {count} mjd_residual for {batch.series_lengths[0, row]} times"
    largest = batch.largest_residuals[row]
    return f"mjd_residual reaches {largest:.6g} days, more than {limits.max_residual:g}"


def missing_errmag(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    if not batch.series_lengths[2, row]:
        return "has no errors (errmag)"
    values = _values(batch, row, "errmag")
    return f"{_first('errmag', values, np.isnan(values))} is missing{_more(np.isnan(values))}"


def unsorted_mjd(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    mjd = _values(batch, row, "mjd")
    with np.errstate(invalid="ignore"):
        bad = np.diff(mjd, prepend=np.nan) < 0
    at = int(np.flatnonzero(bad)[0])
    return f"mjd[{at}] = {_time(mjd[at])} is not after mjd[{at - 1}] = {_time(mjd[at - 1])}" + (
        _more(bad)
    )


def repeated_mjd(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    mjd, mag, errmag = (_values(batch, row, name) for name in SERIES)
    one = np.zeros(len(mjd), np.int64)
    first, second = repeated_observations(mjd, mag, errmag, one)
    before, at = int(first[0]), int(second[0])
    more = f" (and {len(first) - 1} more)" if len(first) > 1 else ""
    return f"mjd[{at}] = {_time(mjd[at])} is the time of mjd[{before}] too{more}"


def mjd_out_of_range(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    return _out_of_range("mjd", batch, row, limits)


def mag_out_of_range(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    return _out_of_range("mag", batch, row, limits)


def errmag_out_of_range(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    return _out_of_range("errmag", batch, row, limits)


def too_short(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    few = int(batch.lengths[row])
    return f"has {few} observation{'s' if few > 1 else ''}, fewer than {limits.min_observations}"


def time_span(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    mjd = _values(batch, row, "mjd")
    return (
        f"spans {mjd.max() - mjd.min():.6g} days (mjd {_time(mjd.min())} to {_time(mjd.max())}), "
        f"outside {limits.min_time_span:g} to {limits.max_time_span:g}"
    )


def constant_mag(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    mag = _values(batch, row, "mag")
    return f"all {len(mag)} magnitudes are {mag[0]:.6g}"


def missing_id(batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    return "has no ID"


def _values(batch: RecordBatch, row: int, series: str) -> np.ndarray:
    values: np.ndarray = getattr(batch, series)[batch.offsets[row] : batch.offsets[row + 1]]
    return values


def _out_of_range(series: str, batch: RecordBatch, row: int, limits: LightCurveRules) -> str:
    values = _values(batch, row, series)
    bad = np.isfinite(values) & outside(values, series, limits)
    return f"{_first(series, values, bad)} is not in {interval(series, limits)}{_more(bad)}"


def _first(series: str, values: np.ndarray, bad: np.ndarray) -> str:
    at = int(np.flatnonzero(bad)[0])
    value = _time(values[at]) if series == "mjd" else f"{values[at]:.6g}"
    return f"{series}[{at}] = {value}"


def _more(bad: np.ndarray) -> str:
    count = int(bad.sum())
    return f" (and {count - 1} more)" if count > 1 else ""


def _time(mjd: float) -> str:
    """Days to a tenth of a second."""
    return f"{mjd:.6f}".rstrip("0").rstrip(".") if np.isfinite(mjd) else str(mjd)
