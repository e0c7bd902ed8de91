"""Fills in the errors that observations lack, by a stated policy."""

from __future__ import annotations

import numpy as np

from astromer.records.config import MissingErrorsConfig

_MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""


def fill_missing_errors(
    mjd: np.ndarray,
    mag: np.ndarray,
    errmag: np.ndarray,
    offsets: np.ndarray,
    policy: str,
    constant: float,
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
        policy, constant: see :class:`astromer.records.config.MissingErrorsConfig`.

    Returns:
        float32 [num_observations].
    """
    missing = np.isnan(errmag)
    if policy == "refuse" or not missing.any():
        return errmag
    filled = errmag.copy()
    if policy == "constant":
        filled[missing] = constant
        return filled
    lengths = np.diff(offsets)
    scatter = np.maximum(_scatter(mjd, mag, lengths), constant)
    filled[missing] = np.repeat(scatter, lengths)[missing]
    return filled


def fill(
    mjd: np.ndarray,
    mag: np.ndarray,
    errmag: np.ndarray,
    offsets: np.ndarray,
    config: MissingErrorsConfig,
) -> np.ndarray:
    """:func:`fill_missing_errors` as a config has it."""
    return fill_missing_errors(mjd, mag, errmag, offsets, config.missing_errors, config.error_fill)


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
