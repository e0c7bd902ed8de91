"""Which observations of a raw light curve are kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from astromer.records.calibration import Calibration, count_julian_dates
from astromer.records.chunk import Chunk
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.missing_errors import fill


@dataclass(frozen=True)
class CleanChunk:
    """The light curves of a chunk that are left, with times in order.

    Attributes:
        rows: int64 [C], metadata row of each curve.
        offsets: int64 [C + 1], where each curve starts in the flat arrays.
        mjd: float64, strictly rising in each curve, days.
        mag: float32.
        errmag: float32.
        dropped_observations: number by reason.
        dropped_curves: number by reason.
        julian_dates: observations whose time was out of range and looks like a Julian date.
        filled_errors: observations kept whose error was filled in.
    """

    rows: np.ndarray
    offsets: np.ndarray
    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray
    dropped_observations: Counter[str]
    dropped_curves: Counter[str]
    julian_dates: int
    filled_errors: int


def clean(
    chunk: Chunk,
    rules: LightCurveRules,
    calibration: Calibration = Calibration(),
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> CleanChunk:
    """Drops bad observations, sorts by time, then drops curves that are too short.

    An observation counts under the first reason that applies: ``non_positive_flux``,
    ``not_finite``, ``missing_errmag`` (which a policy may fill in), ``errmag_out_of_range``,
    ``mag_out_of_range``, ``mjd_out_of_range``, ``duplicate_time`` (all but the first of its
    time are dropped), ``short_curve``.
    """
    curve = np.repeat(np.arange(len(chunk.rows)), chunk.lengths)
    mjd = calibration.times(chunk.mjd)
    mag, errmag, non_positive = calibration.magnitudes(chunk.mag, chunk.errmag)
    missing = np.isnan(errmag)
    if missing.any():
        # A sentinel among the magnitudes must not count as scatter.
        plausible = (mag >= rules.min_mag) & (mag <= rules.max_mag)
        offsets = np.concatenate([[0], np.cumsum(chunk.lengths)]).astype(np.int64)
        errmag = fill(mjd, np.where(plausible, mag, np.nan), errmag, offsets, errors)
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
    julian_dates = count_julian_dates(mjd)
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

    lengths = np.bincount(curve[order], minlength=len(chunk.rows))
    long_enough = lengths >= rules.min_observations
    dropped["short_curve"] = int(lengths[~long_enough].sum())
    order = order[long_enough[curve[order]]]
    return CleanChunk(
        rows=chunk.rows[long_enough],
        offsets=np.concatenate([[0], np.cumsum(lengths[long_enough])]).astype(np.int64),
        mjd=mjd[order],
        mag=mag[order],
        errmag=errmag[order],
        dropped_observations=dropped,
        dropped_curves=Counter(
            nothing_left=int((lengths == 0).sum()),
            too_short=int((~long_enough & (lengths > 0)).sum()),
        ),
        julian_dates=julian_dates,
        filled_errors=int(missing[order].sum()),
    )
