"""From a survey's values to usable observations: calibration, missing errors and ranges.

Imports nothing heavier than NumPy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from astromer.light_curves import LightCurves, offsets_of
from astromer.records.config import LightCurveRules, MissingErrorsConfig

JD_TO_MJD = -2400000.5
"""To be added to a Julian date [days]."""
SENTINEL = 9.0
"""Errors [mag] of this size, such as 9.999, 99.999 or -99, stand for "not known"."""
MAG_PER_FLUX_RATIO = 2.5 / np.log(10)
JULIAN_DATES = (2_400_000.5, 2_600_000.5)
"""MJD 0 to 200000 as Julian dates."""
_MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""
EXCLUSIVE = ("errmag",)
"""Series whose limits are not allowed values themselves."""

SMALLEST = 1e-12
"""What a value must exceed an exclusive limit by: smaller numbers are zero to TFDV, and to
processors that flush them."""


@dataclass(frozen=True)
class Calibration:
    """How the values of a survey become MJD and magnitudes.

    Attributes:
        zero_point: magnitude of a flux of 1, where the survey has fluxes; None where it has
            magnitudes.
        time_offset: days to add to its times.
    """

    zero_point: float | None = None
    time_offset: float = 0.0

    def times(self, values: np.ndarray) -> np.ndarray:
        """float64, MJD [days]."""
        return values + self.time_offset if self.time_offset else values

    def magnitudes(
        self, values: np.ndarray, errors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Magnitudes, their errors and where a flux has no magnitude.

        ``mag = zero_point - 2.5 log10(flux)``, ``errmag = 2.5 / ln(10) * error / flux``, in
        float64 before they become float32. An error of :data:`SENTINEL` magnitudes or more
        becomes NaN.

        Args:
            values, errors: magnitudes or fluxes [n] with their errors; NaN where missing.

        Returns:
            mag float32 [n], errmag float32 [n], bool [n] True for fluxes that are not
            positive; their magnitude is NaN.
        """
        if self.zero_point is None:
            with np.errstate(over="ignore", invalid="ignore"):
                mag = values.astype(np.float32, copy=False)
                errmag = errors.astype(np.float32, copy=False)
                missing = np.abs(errmag) >= SENTINEL
            errmag = np.where(missing, np.float32(np.nan), errmag) if missing.any() else errmag
            return mag, errmag, np.zeros(len(values), bool)
        flux = values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            negative = flux <= 0
        flux = np.where(negative, np.nan, flux)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            mag = (self.zero_point - 2.5 * np.log10(flux)).astype(np.float32)
            errmag = (MAG_PER_FLUX_RATIO * errors.astype(np.float64) / flux).astype(np.float32)
        return mag, errmag, negative


def count_julian_dates(times: np.ndarray) -> int:
    """How many times look like Julian dates."""
    with np.errstate(invalid="ignore"):
        return int(((times >= JULIAN_DATES[0]) & (times <= JULIAN_DATES[1])).sum())


@dataclass(frozen=True)
class CleanCurves:
    """The light curves that are left after cleaning.

    Attributes:
        curves: with strictly rising times in each curve.
        kept: bool [C], which of the light curves before cleaning they are.
        dropped_observations: number by reason.
        dropped_curves: number by reason.
        julian_dates: observations whose time is out of range and may be a Julian date.
        filled_errors: observations kept whose error was filled in.
    """

    curves: LightCurves
    kept: np.ndarray
    dropped_observations: Counter[str]
    dropped_curves: Counter[str]
    julian_dates: int
    filled_errors: int


def clean(
    curves: LightCurves,
    rules: LightCurveRules,
    calibration: Calibration = Calibration(),
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> CleanCurves:
    """Drops bad observations, sorts by time, then drops curves that are too short.

    An observation counts under the first reason that applies: ``non_positive_flux``,
    ``not_finite``, ``missing_errmag`` (which a policy may fill in), ``errmag_out_of_range``,
    ``mag_out_of_range``, ``mjd_out_of_range``, ``duplicate_time`` (all but the first of its
    time are dropped), ``short_curve``.

    Args:
        curves: C light curves as in the survey: float32 or float64 magnitudes or fluxes, and
            times in its own system.
        rules: which observations and light curves are kept.
        calibration: how values become magnitudes and MJD.
        errors: how missing errors are filled in.
    """
    curve = np.repeat(np.arange(len(curves)), curves.lengths)
    mjd = calibration.times(curves.mjd)
    mag, errmag, non_positive = calibration.magnitudes(curves.mag, curves.errmag)
    missing = np.isnan(errmag)
    if missing.any():
        # A sentinel among the magnitudes must not count as scatter.
        plausible = (mag >= rules.min_mag) & (mag <= rules.max_mag)
        known = np.where(plausible, mag, np.nan)
        errmag = fill_missing_errors(mjd, known, errmag, curves.offsets, errors)
    # Records hold float32: a time beyond its range would not survive either.
    finite = np.isfinite(mag) & ~np.isinf(errmag) & (np.abs(mjd) <= np.finfo(np.float32).max)
    reasons = {
        "non_positive_flux": non_positive,
        "not_finite": ~finite,
        "missing_errmag": np.isnan(errmag),
        "errmag_out_of_range": ~((errmag > rules.min_errmag) & (errmag < rules.max_errmag)),
        "mag_out_of_range": ~((mag >= rules.min_mag) & (mag <= rules.max_mag)),
        "mjd_out_of_range": ~((mjd >= rules.min_mjd) & (mjd <= rules.max_mjd)),
    }
    dropped: Counter[str] = Counter()
    kept = np.ones(len(mjd), bool)
    for reason, bad in reasons.items():
        dropped[reason] = int((kept & bad).sum())
        kept &= ~bad
    order = np.flatnonzero(kept)
    sorted_already = (np.diff(mjd[order]) >= 0) | (np.diff(curve[order]) > 0)
    if not sorted_already.all():
        order = order[np.lexsort((mjd[order], curve[order]))]
    same = np.zeros(len(order), bool)
    same[1:] = (np.diff(mjd[order]) == 0) & (np.diff(curve[order]) == 0)
    dropped["duplicate_time"] = int(same.sum())
    order = order[~same]

    lengths = np.bincount(curve[order], minlength=len(curves))
    long_enough = lengths >= rules.min_observations
    dropped["short_curve"] = int(lengths[~long_enough].sum())
    order = order[long_enough[curve[order]]]
    offsets = offsets_of(lengths[long_enough])
    return CleanCurves(
        curves=LightCurves.unlabelled(mjd[order], mag[order], errmag[order], offsets),
        kept=long_enough,
        dropped_observations=dropped,
        dropped_curves=Counter(
            nothing_left=int((lengths == 0).sum()),
            too_short=int((~long_enough & (lengths > 0)).sum()),
        ),
        julian_dates=count_julian_dates(mjd),
        filled_errors=int(missing[order].sum()),
    )


def fill_missing_errors(
    mjd: np.ndarray,
    mag: np.ndarray,
    errmag: np.ndarray,
    offsets: np.ndarray,
    config: MissingErrorsConfig,
) -> np.ndarray:
    """Replaces NaN errors of packed light curves.

    "refuse" fills in nothing. "constant" fills in the constant. "scatter" fills in each
    curve's robust scatter from one observation to the next in time, 1.4826 MAD(differences) /
    sqrt(2), but no less than the constant: an upper limit of the noise, as real variability
    between two observations counts too. Curves with fewer than three finite magnitudes
    keep their NaN.

    Args:
        mjd: float64 [num_observations], days.
        mag: float32 [num_observations].
        errmag: float32 [num_observations]; a new array is returned.
        offsets: int64 [num_curves + 1].
        config: the policy and the constant.

    Returns:
        float32 [num_observations].
    """
    missing = np.isnan(errmag)
    if config.missing_errors == "refuse" or not missing.any():
        return errmag
    filled = errmag.copy()
    if config.missing_errors == "constant":
        filled[missing] = config.error_fill
        return filled
    lengths = np.diff(offsets)
    scatter = np.maximum(_scatter(mjd, mag, lengths), config.error_fill)
    filled[missing] = np.repeat(scatter, lengths)[missing]
    return filled


def _scatter(mjd: np.ndarray, mag: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """float64 [num_curves], NaN where there are fewer than two differences."""
    curve = np.repeat(np.arange(len(lengths)), lengths)
    good = np.isfinite(mag) & np.isfinite(mjd)
    order = np.flatnonzero(good)
    order = order[np.lexsort((mjd[order], curve[order]))]
    same = np.diff(curve[order]) == 0
    of_curve = curve[order][1:][same]
    steps = np.diff(mag[order].astype(np.float64))[same]
    middle = _medians(steps, of_curve, len(lengths))
    deviation = _medians(np.abs(steps - middle[of_curve]), of_curve, len(lengths))
    counts = np.bincount(of_curve, minlength=len(lengths))
    return np.where(counts >= 2, _MAD_TO_SIGMA * deviation / np.sqrt(2), np.nan)


def _medians(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """float64 [groups], NaN for empty ones; ``group`` rises."""
    counts = np.bincount(group, minlength=groups)
    starts = np.cumsum(counts) - counts
    ordered = values[np.lexsort((values, group))]
    medians = np.full(groups, np.nan)
    filled = counts > 0
    low = (starts + (counts - 1) // 2)[filled]
    high = (starts + counts // 2)[filled]
    medians[filled] = (ordered[low] + ordered[high]) / 2
    return medians


def outside(values: np.ndarray, series: str, rules: LightCurveRules) -> np.ndarray:
    """bool, True where a value of "mjd", "mag" or "errmag" is not finite or out of range."""
    low, high = _limits(series, rules)
    with np.errstate(invalid="ignore"):
        if series in EXCLUSIVE:
            return ~((values > low + SMALLEST) & (values < high))
        return ~((values >= low) & (values <= high))


def float32_below(value: float) -> float:
    """The largest float32 below a value: the inclusive form of an exclusive limit."""
    return float(np.nextafter(np.float32(value), np.float32(-np.inf)))


def interval(series: str, rules: LightCurveRules) -> str:
    """The range in mathematical notation; "its range" for a series without rule."""
    try:
        low, high = _limits(series, rules)
    except AttributeError:
        return "its range"
    return f"({low:g}, {high:g})" if series in EXCLUSIVE else f"[{low:g}, {high:g}]"


def _limits(series: str, rules: LightCurveRules) -> tuple[float, float]:
    return getattr(rules, f"min_{series}"), getattr(rules, f"max_{series}")
