"""A light curve that breaks a rule, with what is wrong pointed at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from astromer.light_curves import LightCurve
from astromer.records.config import LightCurveRules
from astromer.system.html.figure import SPLIT_COLOURS, WRONG, Picture, label, new_figure, to_picture
from astromer.validation.findings import Finding
from astromer.validation.report.highlight import wrong_observations

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_HEIGHT = 0.1
_SHORT_SPAN = 20.0
"""Days below which dates are shown as days since a round date."""


def draw_offender(finding: Finding, curve: LightCurve, limits: LightCurveRules) -> Picture | None:
    """Magnitude with errors against time, bright at the top; None without observations.

    The axes fit the good observations. A wrong one beyond them is a triangle at the edge; one
    without time or magnitude is a line at what it has.
    """
    if not len(curve):
        return None
    wrong = wrong_observations(finding.rule, curve, limits)
    mjd, mag = curve.mjd, curve.mag.astype(np.float64)
    figure, axes = new_figure(4.6, 3.1)
    errors = curve.errmag[np.isfinite(curve.errmag) & (curve.errmag < limits.max_errmag)]
    room = 2 * float(np.median(errors)) if len(errors) else 0.0
    left, right = _range(mjd, wrong, 0.0)
    bright, faint = _range(mag, wrong, max(room, _LEAST_HEIGHT / 2))
    start = _round_date(mjd, left, right)
    _draw_good(axes, curve, ~wrong, start)
    _draw_wrong(axes, mjd - start, mag, wrong, (left - start, right - start), (bright, faint))
    if finding.rule == "unsorted_mjd":
        _draw_steps_back(axes, mjd - start, mag, np.flatnonzero(wrong))
    if wrong.any():
        _draw_errors(axes, mjd[wrong] - start, mag[wrong], curve.errmag[wrong], WRONG)
    axes.set_xlim(left - start, right - start)
    axes.set_ylim(faint, bright)
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.locator_params(axis="x", nbins=5)
    time = "mjd as recorded" if finding.rule == "mjd_out_of_range" else "MJD"
    axes.set_xlabel(f"{time} - {start:.0f} [days]" if start else f"{time} [days]")
    axes.set_ylabel("magnitude [mag]")
    axes.set_title(label(curve.id or "without id", 40), fontsize=9, parse_math=False)
    name = curve.id or "an object without id"
    return to_picture(figure, f"Light curve of {name}, which breaks {finding.rule}", "png")


def _range(values: np.ndarray, wrong: np.ndarray, room: float) -> tuple[float, float]:
    """An interval around the good values, or all if no two are good, with room at its ends."""
    finite = np.isfinite(values)
    good = values[finite & ~wrong]
    chosen = good if len(good) > 1 else values[finite]
    if not len(chosen):
        return 0.0, 1.0
    low, high = float(chosen.min()), float(chosen.max())
    # A wrong value that is not far away is shown where it is.
    near = values[finite & (values > low - (high - low)) & (values < high + (high - low))]
    low, high = float(near.min(initial=low)), float(near.max(initial=high))
    margin = max(0.08 * (high - low), room, 1e-3)
    return low - margin, high + margin


def _round_date(mjd: np.ndarray, left: float, right: float) -> float:
    """What to count days from: 0, or the first day where all is within a few days."""
    shown = mjd[(mjd >= left) & (mjd <= right)]
    return float(np.floor(shown.min())) if len(shown) and right - left < _SHORT_SPAN else 0.0


def _draw_good(axes: Axes, curve: LightCurve, good: np.ndarray, start: float) -> None:
    shown = good & np.isfinite(curve.mjd) & np.isfinite(curve.mag)
    mjd, mag, errmag = (v[shown] for v in (curve.mjd - start, curve.mag, curve.errmag))
    _draw_errors(axes, mjd, mag, errmag, SPLIT_COLOURS["train"])
    axes.plot(mjd, mag, ".", color=SPLIT_COLOURS["train"], markersize=4)


def _draw_errors(
    axes: Axes, mjd: np.ndarray, mag: np.ndarray, errmag: np.ndarray, colour: str
) -> None:
    drawn = np.isfinite(errmag) & (errmag > 0) & np.isfinite(mjd) & np.isfinite(mag)
    if drawn.any():
        axes.errorbar(
            mjd[drawn],
            mag[drawn],
            errmag[drawn].astype(np.float64).clip(max=1e3),
            fmt="none",
            ecolor=colour,
            elinewidth=0.7,
            alpha=0.5,
        )


def _draw_wrong(
    axes: Axes,
    mjd: np.ndarray,
    mag: np.ndarray,
    wrong: np.ndarray,
    times: tuple[float, float],
    mags: tuple[float, float],
) -> None:
    bright, faint = mags
    for x in mjd[wrong & np.isfinite(mjd) & ~np.isfinite(mag)]:
        axes.axvline(x, color=WRONG, linewidth=0.9, linestyle="--")
    for y in mag[wrong & ~np.isfinite(mjd) & np.isfinite(mag)]:
        axes.axhline(y, color=WRONG, linewidth=0.9, linestyle="--")
    shown = wrong & np.isfinite(mjd) & np.isfinite(mag)
    x, y = mjd[shown], mag[shown]
    sides = {
        "v": y > faint,
        "^": y < bright,
        "<": (x < times[0]) & (y >= bright) & (y <= faint),
        ">": (x > times[1]) & (y >= bright) & (y <= faint),
    }
    inset = 0.025
    x = x.clip(*(_inside(times, inset)))
    y = y.clip(*(_inside(mags, inset)))
    near = ~np.logical_or.reduce(list(sides.values()))
    axes.plot(x[near], y[near], "o", color=WRONG, markersize=6, fillstyle="none", markeredgewidth=1)
    axes.plot(x[near], y[near], ".", color=WRONG, markersize=3)
    for marker, beyond in sides.items():
        axes.plot(x[beyond], y[beyond], marker, color=WRONG, markersize=7, clip_on=False, zorder=5)


def _inside(interval: tuple[float, float], part: float) -> tuple[float, float]:
    margin = part * (interval[1] - interval[0])
    return interval[0] + margin, interval[1] - margin


def _draw_steps_back(axes: Axes, mjd: np.ndarray, mag: np.ndarray, later: np.ndarray) -> None:
    """Lines from an observation to the next in the record, which is earlier."""
    for index in later[:200]:
        pair = slice(index - 1, index + 1)
        axes.plot(mjd[pair], mag[pair], color=WRONG, linewidth=0.8, alpha=0.7)
