"""The ranges of the series, as the rules have them."""

from __future__ import annotations

import numpy as np

from astromer.records.config import LightCurveRules

EXCLUSIVE = ("errmag",)
"""Series whose limits are not allowed values themselves."""

SMALLEST = 1e-12
"""What a value must exceed an exclusive limit by: smaller numbers are zero to TFDV, and to
processors that flush them."""


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
