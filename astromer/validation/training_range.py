"""The range of light curves that an encoder was trained on, and light curves outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from astromer.light_curves import LightCurves

TRAINED_ON = "trained_on"
"""Key of the range in a model's metadata."""

_TITLES = {
    "num_observations": ("number of observations", ""),
    "time_span": ("time span", " days"),
    "cadence": ("median time between observations", " days"),
    "amplitude": ("range of magnitudes from 5 to 95 %", " mag"),
    "errmag": ("median magnitude error", " mag"),
}
_INSIDE = (0.005, 0.995)  # quantiles of the training data
_MOST_OUTSIDE = 0.5  # of the light curves, before it is said
_ENOUGH = 20_000  # light curves that are looked at


def training_range(curves: LightCurves) -> dict[str, list[float]]:
    """What all but 1 % of some light curves lie between, by quantity; JSON-able.

    Quantities that no light curve has, as errors of a survey without any, are left out.
    """
    found = {}
    for name, values in _quantities(curves).items():
        known = values[np.isfinite(values)]
        if len(known):
            found[name] = [float(value) for value in np.quantile(known, _INSIDE)]
    return found


class RangeCheck:
    """Counts light curves outside of the range that an encoder was trained on.

    Args:
        metadata: of the encoder; without a range, as of older ones, nothing is checked.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        stated = metadata.get(TRAINED_ON) or {}
        self._ranges: dict[str, Sequence[float]] = {
            name: stated[name] for name in _TITLES if name in stated
        }
        self._seen: dict[str, list[np.ndarray]] = {name: [] for name in self._ranges}
        self._left = _ENOUGH

    def add(self, curves: LightCurves) -> None:
        """Looks at some light curves; at no more when it has seen enough."""
        if not self._ranges or self._left <= 0 or not len(curves):
            return
        found = _quantities(curves.take(np.arange(min(len(curves), self._left))))
        self._left -= len(curves)
        for name, values in self._seen.items():
            values.append(found[name][np.isfinite(found[name])])

    def warnings(self) -> list[str]:
        """A line for each quantity in which more than half of the light curves lie outside."""
        lines = []
        for name, parts in self._seen.items():
            values = np.concatenate([np.empty(0), *parts])
            low, high = self._ranges[name]
            outside = np.mean((values < low) | (values > high)) if len(values) else 0.0
            if outside > _MOST_OUTSIDE:
                title, unit = _TITLES[name]
                lines.append(
                    f"{outside:.0%} of the light curves lie outside of what the encoder was "
                    f"trained on: {title} {low:.3g} to {high:.3g}{unit} there, median "
                    f"{np.median(values):.3g}{unit} here. Compare its RMSE with the baselines' "
                    "(astromer score), or pre-train on these (--init MODEL)."
                )
        return lines


def _quantities(curves: LightCurves) -> dict[str, np.ndarray]:
    """float64 [num_curves] by name; NaN where a light curve has none."""
    lengths = curves.lengths
    row = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((curves.mjd, row))
    mjd = curves.mjd[order]
    same = row[1:] == row[:-1]
    errors = np.where(curves.errmag > 0, curves.errmag, np.nan)
    low, high = (_quantile(curves.mag, row, len(lengths), q) for q in (0.05, 0.95))
    first, last = (_quantile(mjd, row, len(lengths), q) for q in (0.0, 1.0))
    return {
        "num_observations": lengths.astype(np.float64),
        "time_span": last - first,
        "cadence": _quantile(np.diff(mjd)[same], row[1:][same], len(lengths), 0.5),
        "amplitude": high - low,
        "errmag": _quantile(errors, row, len(lengths), 0.5),
    }


def _quantile(values: np.ndarray, row: np.ndarray, rows: int, fraction: float) -> np.ndarray:
    """float64 [rows], of the finite values of each row, the nearest one; NaN without any."""
    known = np.isfinite(values)
    values, row = values[known], row[known]
    ordered = values[np.lexsort((values, row))]
    count = np.bincount(row, minlength=rows)
    place = np.cumsum(count) - count + np.rint(fraction * np.maximum(count - 1, 0)).astype(int)
    found = np.full(rows, np.nan)
    found[count > 0] = ordered[place[count > 0]]
    return found
