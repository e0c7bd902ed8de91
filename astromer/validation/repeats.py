"""Which observations of a light curve are there twice."""

from __future__ import annotations

import numpy as np


def repeated_observations(
    mjd: np.ndarray, mag: np.ndarray, curve: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of observations of one light curve at one time.

    In a light curve whose times are all float32 numbers, as records without ``mjd_residual``
    have them, observations minutes apart fall on one time: there only those with the same
    magnitude, too, are repeats.

    Args:
        mjd: float64 [n], days.
        mag: float32 [n].
        curve: int64 [n], rising, the light curve that each belongs to.

    Returns:
        int64 [pairs] each: the first and the second observation, in the order of time.
    """
    order = np.lexsort((mjd, curve))
    pairs = _equal_neighbours(order, mjd, curve)
    if not len(pairs[0]):
        return pairs
    with np.errstate(over="ignore"):
        exact = mjd != mjd.astype(np.float32)
    rounded = np.bincount(curve, exact, int(curve[-1]) + 1) == 0
    if not rounded[curve[pairs[0]]].any():
        return pairs
    order = np.lexsort((mag, mjd, curve))
    first, second = _equal_neighbours(order, mjd, curve)
    repeated = ~rounded[curve[first]] | (mag[first] == mag[second])
    return first[repeated], second[repeated]


def _equal_neighbours(
    order: np.ndarray, mjd: np.ndarray, curve: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    first, second = order[:-1], order[1:]
    same = (mjd[first] == mjd[second]) & (curve[first] == curve[second]) & np.isfinite(mjd[first])
    return first[same], second[same]
