"""Traits of light curves: numbers with a meaning for astronomers, beside what a network makes.

``astromer embed`` writes them as columns of its table. They say what sets an object apart
(:mod:`astromer.explore.outliers`) and what an artefact is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from astromer.light_curves import LightCurves

TRAITS = {
    "magnitude": "median [mag]",
    "amplitude": "from the 5th to the 95th percentile [mag]",
    "error": "median of the known errors [mag]",
    "scatter": "standard deviation [mag]",
    "first_mjd": "first observation [MJD]",
    "last_mjd": "last observation [MJD]",
    "spacing": "median time between observations [days]",
    "skew": "where the median lies between both percentiles: 1 for drops, -1 for rises",
    "fade": "faintest of three observations in a row below the median [mag]",
    "rise": "brightest of three observations in a row above the median [mag]",
    "roughness": "of neighbours in time: 1 for noise, near 0 for slow changes (von Neumann)",
    "unexplained": "noise between neighbours in time, or in phase at the best of the periods [mag]",
    "drift": "share of the variance that a wave of changing period explains beyond a strict one",
    "swing": "spread of the seasons' means over the scatter",
    "step": "best single jump of the zero point [mag]",
    "step_share": "of the changes between parts, what this jump explains, 0 to 1",
}
"""Columns of the table, float64 each, NaN for light curves of fewer than five observations."""

_FEWEST = 5
_SEASON, _MOST_SEASONS = 30, 8
"""Observations in a season at least, and seasons."""
_CHIRPS = np.linspace(-8.0, 8.0, 33)
"""Cycles that a wave gains or loses over the light curve, by the square of the time."""
_SHIFTS = np.linspace(-12.0, 12.0, 49)
"""Frequencies about each candidate, in cycles over the light curve."""
_MOST_IN_DRIFT = 400
SLOW = 0.3
"""Roughness of slow changes, which have no cycles to count."""
_PART, _MOST_PARTS = 10, 20
"""Observations in a part between which the zero point may jump, at least, and parts."""
_NORMAL = 0.6745 * np.sqrt(2)
"""Median distance of two normal numbers over their standard deviation."""
_LEAST = 1e-6


def traits_of(curves: LightCurves, periods: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The traits of light curves.

    Args:
        curves: in any order of time.
        periods: float64 [num_curves, n], candidates [days], the best one first; NaN for none.

    Returns:
        float64 [num_curves] for each of :data:`TRAITS`.
    """
    curves = curves.sorted_by_time()
    rows = np.full((len(curves), len(TRAITS)), np.nan)
    for index in range(len(curves)):
        curve = curves[index]
        usable = np.isfinite(curve.mjd) & np.isfinite(curve.mag)
        if usable.sum() < _FEWEST:
            continue
        candidates = np.empty(0) if periods is None else periods[index]
        candidates = 1 / candidates[np.isfinite(candidates) & (candidates > 0)]
        series = _Series.of(curve.mjd[usable], curve.mag[usable], curve.errmag[usable])
        rows[index] = _traits(series, candidates)
    return dict(zip(TRAITS, rows.T))


class _Series(NamedTuple):
    """float64 [n] each: days since the first observation, magnitudes about the median, errors."""

    first: float
    median: float
    times: np.ndarray
    values: np.ndarray
    errors: np.ndarray

    @classmethod
    def of(cls, mjd: np.ndarray, mag: np.ndarray, errmag: np.ndarray) -> _Series:
        magnitudes = mag.astype(np.float64)
        median = float(np.median(magnitudes))
        return cls(float(mjd[0]), median, mjd - mjd[0], magnitudes - median, errmag.astype(float))


def _traits(series: _Series, frequencies: np.ndarray) -> tuple[float, ...]:
    """In the order of :data:`TRAITS`."""
    times, values = series.times, series.values
    low, high = np.quantile(values, (0.05, 0.95))
    amplitude = max(float(high - low), _LEAST)
    scatter = max(float(np.std(values)), _LEAST)
    known = series.errors[series.errors > 0]
    rows = np.stack([values[:-2], values[1:-1], values[2:]])
    middle = np.median(rows, axis=0)  # a single bad observation is not an event
    return (
        series.median,
        amplitude,
        float(np.median(known)) if len(known) else np.nan,
        scatter,
        series.first,
        series.first + float(times[-1]),
        float(np.median(np.diff(times))),
        float(high + low) / amplitude,
        float(middle.max()),
        float(-middle.min()),
        _roughness(values),
        _unexplained(times, values, frequencies),
        _drift(times, values, frequencies),
        _swing(values),
        *_jump(values),
    )


def _roughness(values: np.ndarray) -> float:
    """Mean squared difference of neighbours over twice the variance."""
    return float(np.mean(np.diff(values) ** 2) / (2 * max(float(np.var(values)), _LEAST**2)))


def _unexplained(times: np.ndarray, values: np.ndarray, frequencies: np.ndarray) -> float:
    """Noise [mag] that no order of the observations makes small."""
    least = np.median(np.abs(np.diff(values)))
    for frequency in np.concatenate([frequencies, frequencies / 2]):
        order = np.argsort((times * frequency) % 1)
        least = min(least, np.median(np.abs(np.diff(values[order]))))
    return float(least / _NORMAL)


def _drift(times: np.ndarray, values: np.ndarray, frequencies: np.ndarray) -> float:
    """What a wave gains by a period that changes evenly, as a share of the variance."""
    span = float(times[-1])
    frequencies = frequencies[frequencies * span > 4 * _SHIFTS[-1]]
    if not len(frequencies) or _roughness(values) < SLOW:
        return 0.0
    some = np.unique(np.linspace(0, len(times) - 1, _MOST_IN_DRIFT).astype(int))
    place, centred = times[some] / span, values[some] - values[some].mean()
    shifts, chirps = _turns(place, _SHIFTS), _turns(place**2, _CHIRPS).T
    strict, changing = 0.0, 0.0
    for frequency in np.unique(frequencies):
        wave = (centred * _turns(times[some], np.array([frequency]))[:, 0]).astype(np.complex64)
        power = np.abs((chirps * wave) @ shifts) ** 2
        strict = max(strict, float(power[len(_CHIRPS) // 2].max()))
        changing = max(changing, float(power.max()))
    return 2 * (changing - strict) / max(len(some) * float(np.sum(centred**2)), _LEAST)


def _turns(places: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """exp(-2 pi i place rate), complex64 [places, rates]; phases are kept to a turn before."""
    cycles = np.outer(places, rates)
    angle = (-2 * np.pi * (cycles - np.rint(cycles))).astype(np.float32)
    turns = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=turns.real)
    np.sin(angle, out=turns.imag)
    return turns


def _swing(values: np.ndarray) -> float:
    """Spread of the seasons' means over the scatter."""
    seasons = min(len(values) // _SEASON, _MOST_SEASONS)
    if seasons < 2:
        return 0.0
    means = [part.mean() for part in np.array_split(values, seasons)]
    return float(np.std(means)) / max(float(np.std(values)), _LEAST)


def _jump(values: np.ndarray) -> tuple[float, float]:
    """The best jump of the zero point, and its share of the changes between parts.

    A variable star that changes slowly goes on changing on both sides of its best jump.
    """
    parts = min(len(values) // _PART, _MOST_PARTS)
    if parts < 4:
        return 0.0, 0.0
    pieces = np.array_split(values, parts)
    means = np.array([piece.mean() for piece in pieces])
    chance = float(np.mean([piece.var() / len(piece) for piece in pieces]))
    best = (0.0, 0.0)
    for place in range(parts):  # this part may hold the jump; it is left out
        before, after = means[:place], means[place + 1 :]
        if min(len(before), len(after)) < 2:
            continue
        size = float(after.mean() - before.mean())
        count = len(before) + len(after)
        between = size**2 * len(before) * len(after) / count
        within = float(np.sum((before - before.mean()) ** 2) + np.sum((after - after.mean()) ** 2))
        within = max(within - (count - 2) * chance, 0.0)
        share = between / max(between + within + 9 * chance, _LEAST)
        if share > best[1]:
            best = (size, share)
    return best
