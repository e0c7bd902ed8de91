"""Which observations of a light curve break a rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from astromer.light_curves import LightCurve
from astromer.records.config import LightCurveRules
from astromer.records.limits import outside
from astromer.validation.repeats import repeated_observations


def wrong_observations(rule: str, curve: LightCurve, limits: LightCurveRules) -> np.ndarray:
    """bool [n], the observations to point at; none where the whole curve is meant."""
    if rule not in _WRONG or not len(curve):
        return np.zeros(len(curve), bool)
    with np.errstate(invalid="ignore"):
        return np.asarray(_WRONG[rule](curve, limits), bool)


def _goes_back(curve: LightCurve, limits: LightCurveRules) -> np.ndarray:
    return np.diff(curve.mjd, prepend=-np.inf) < 0


def _repeated(curve: LightCurve, limits: LightCurveRules) -> np.ndarray:
    found = np.zeros(len(curve.mjd), bool)
    one = np.zeros(len(curve.mjd), np.int64)
    for side in repeated_observations(curve.mjd, curve.mag, curve.errmag, one):
        found[side] = True
    return found


def _ends(curve: LightCurve, limits: LightCurveRules) -> np.ndarray:
    return (curve.mjd == np.nanmin(curve.mjd)) | (curve.mjd == np.nanmax(curve.mjd))


def _not_finite(curve: LightCurve, limits: LightCurveRules) -> np.ndarray:
    return ~np.isfinite(curve.mjd) | ~np.isfinite(curve.mag) | np.isinf(curve.errmag)


def _outside(series: str) -> Callable[[LightCurve, LightCurveRules], np.ndarray]:
    def find(curve: LightCurve, limits: LightCurveRules) -> np.ndarray:
        values = getattr(curve, series)
        return np.isfinite(values) & outside(values, series, limits)

    return find


_WRONG: dict[str, Callable[[LightCurve, LightCurveRules], np.ndarray]] = {
    "not_finite": _not_finite,
    "missing_errmag": lambda curve, limits: np.isnan(curve.errmag),
    "unsorted_mjd": _goes_back,
    "repeated_mjd": _repeated,
    "mjd_out_of_range": _outside("mjd"),
    "mag_out_of_range": _outside("mag"),
    "errmag_out_of_range": _outside("errmag"),
    "time_span": _ends,
}
