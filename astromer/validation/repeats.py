"""Which observations of a light curve are there twice."""

from __future__ import annotations

import numpy as np

_NEAR_STEPS = 8  # float32 steps: 45 minutes near MJD 59000, a visit's length
_NEAR_EXCESS = 2.5
_EXPECTED = 0.25


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
