"""How a survey observes: when it looks, what it measures, and which error bars it writes.

It looks in seasons, by moonlight and weather, several times a night; or it scans from space. A
cadence is drawn for each star: its field's place on the sky, the share of the survey's years in
which it was observed, how often and how many visits a night lie within the survey's ranges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from astromer.records.synthetic.processes import log_normal, log_uniform, since_events, wander

YEAR = 365.25
SYNODIC_MONTH = 29.530588
FULL_MOON = 51564.195
"""MJD of a full moon."""
_NIGHT = 0.4
"""Most days from the first to the last visit of a night."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Visits:
    """When a star was looked at.

    Attributes:
        mjd: float64 [n], days, strictly increasing.
        depth: float64 [n], magnitudes by which a visit goes deeper than a median one.
    """

    mjd: np.ndarray
    depth: np.ndarray


Cadence = Callable[[np.random.Generator], Visits]


@dataclass(frozen=True)
class GroundBased:
    """Nights of a telescope on the ground.

    Attributes:
        start: MJD at which the survey began, and the latest at which a field did.
        span: days observed.
        interval: mean nights from one observed night to the next in the season.
        visits: chances of 1, 2, 3, ... visits a night, the same all nights of a field.
        separation: days between the visits of a night.
        season: days a year in which a field is observed.
        moon: days around full moon without observations.
        regular: 0 for random intervals, 1 for equal ones.
        hours: standard deviation [days] of the time of the first visit within the night; small
            ones bring aliases of a day.
        sharing: share of the visits of a night that are made.
        drift: days by which the visits move through the night within a season.
    """

    start: Range
    span: Range
    interval: Range
    visits: tuple[float, ...] = (1.0,)
    separation: Range = (0.01, 0.03)
    season: Range = (150.0, 280.0)
    moon: Range = (1.0, 4.0)
    regular: Range = (0.0, 0.5)
    hours: Range = (0.02, 0.08)
    sharing: Range = (0.7, 1.0)
    drift: Range = (0.1, 0.3)

    def __call__(self, rng: np.random.Generator) -> Visits:
        """The visits of one field."""
        nights, in_season = self._nights(rng)
        mjd, night = self._visits(nights, in_season, rng)
        return Visits(mjd, _weather(night, mjd, rng))

    def _nights(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """MJD of the local midnights with observations, and days since their season began."""
        start, span = np.floor(rng.uniform(*self.start)), rng.uniform(*self.span)
        interval = log_uniform(*self.interval, rng)
        regular = rng.uniform(*self.regular)
        number = int(span / interval) + 1
        gaps = interval * (regular + (1 - regular) * rng.standard_exponential(number))
        night = np.floor(start + np.cumsum(gaps))
        in_season = (night - (start + rng.uniform(0, YEAR))) % YEAR
        moon = (night - FULL_MOON + SYNODIC_MONTH / 2) % SYNODIC_MONTH - SYNODIC_MONTH / 2
        new = np.diff(night, prepend=-1.0) > 0
        kept = in_season < rng.uniform(*self.season)
        kept &= (np.abs(moon) > rng.uniform(*self.moon)) & new
        if rng.random() < 0.8:
            kept &= _spared(night, rng.uniform(5, 25), rng.uniform(1, 5), rng)  # bad weather
        if rng.random() < 0.4:
            kept &= _spared(night, rng.uniform(300, 1500), rng.uniform(10, 60), rng)  # repairs
        kept[0] |= not kept.any()
        return night[kept], in_season[kept]

    def _visits(
        self, nights: np.ndarray, in_season: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """MJD of the visits, and the position of the night of each."""
        # A star rises four minutes earlier every night.
        first = nights + rng.random() - in_season / YEAR * rng.uniform(*self.drift)
        first += rng.uniform(*self.hours) * np.clip(rng.standard_normal(len(nights)), -2, 2)
        chances = np.cumsum(self.visits)
        most = 1 + int(np.searchsorted(chances, rng.random() * chances[-1]))
        if most == 1:
            return first, np.arange(len(nights))
        separation = log_uniform(*self.separation, rng)
        jitter = 0.05 * separation * rng.standard_normal((len(nights), most))
        after = separation * np.arange(most) + np.sort(jitter, axis=1)
        times = first[:, None] + after
        made = (rng.random(after.shape) < rng.uniform(*self.sharing)) & (after < _NIGHT)
        made[:, 0] = True
        return times[made], np.nonzero(made)[0]


def _spared(
    night: np.ndarray, interval: float, length: float, rng: np.random.Generator
) -> np.ndarray:
    """bool [n], False in spells of an exponential length that begin at random."""
    number = int((night[-1] - night[0]) / interval) + 2
    starts = night[0] + np.cumsum(interval * rng.standard_exponential(number))
    lengths = length * rng.standard_exponential(number)
    spell, elapsed = since_events(night, starts)
    return (elapsed < 0) | (elapsed > lengths[spell])


def _weather(night: np.ndarray, mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Depths: seeing and transparency of the night, moonlight, and what differs by visit."""
    nights = int(night[-1]) + 1
    of_night = 0.22 * rng.standard_normal(nights)
    of_night -= 0.4 * rng.standard_exponential(nights) * (rng.random(nights) < 0.12)
    moon = np.cos((2 * np.pi / SYNODIC_MONTH) * (mjd - FULL_MOON))
    brightening = rng.uniform(0.0, 0.5) * np.maximum(moon, 0)
    return of_night[night] - brightening + 0.06 * rng.standard_normal(len(mjd))


@dataclass(frozen=True)
class Stretch:
    """Equal steps without nights, in one stretch or several: a telescope in space that stares.

    Attributes:
        start: MJD.
        step: days.
        length: days of a stretch.
        stretches: chances of 1, 2, 3, ... stretches.
        between: days from one to the next.
        interruption: days lost in the middle of each; downlinks.
    """

    start: Range
    step: tuple[float, ...]
    length: Range
    stretches: tuple[float, ...] = (1.0,)
    between: Range = (30.0, 800.0)
    interruption: Range = (0.3, 3.0)

    def __call__(self, rng: np.random.Generator) -> Visits:
        """The exposures of one star."""
        step = self.step[int(rng.integers(len(self.step)))]
        chances = np.cumsum(self.stretches)
        number = 1 + int(np.searchsorted(chances, rng.random() * chances[-1]))
        length = log_uniform(*self.length, rng)
        start = rng.uniform(*self.start)
        parts = []
        for _ in range(number):
            mjd = start + step * np.arange(int(length / step) + 1)
            pause = mjd[0] + length * rng.uniform(0.3, 0.7)
            off = rng.uniform(*self.interruption)
            parts.append(mjd[(mjd < pause) | (mjd > pause + off)])
            start = mjd[-1] + rng.uniform(*self.between)
        mjd = np.concatenate(parts)
        flagged = rng.random(len(mjd)) < rng.uniform(0, 0.04)
        mjd = mjd[~flagged]
        return Visits(mjd, np.zeros(len(mjd)))


def gaia(rng: np.random.Generator) -> Visits:
    """Scans of a spinning satellite: pairs 1.8 hours apart, some turns of 6 hours, then weeks.

    Gaia Collaboration (2016, A&A 595, A1), Eyer et al. (2017, arXiv:1702.03295).
    """
    spin, between_fields = 0.25, 0.074
    span = rng.uniform(900, 1900)
    interval = rng.uniform(14, 45)
    number = max(int(span / interval), 3)
    group = 56880 + rng.uniform(0, 120) + np.cumsum(interval * rng.gamma(3.0, 1 / 3.0, number))
    # Near 45 degrees of ecliptic latitude a star stays in the scan for days.
    turns = np.minimum(rng.geometric(rng.uniform(0.3, 0.9), number), 16)
    most = int(turns.max())
    turn = np.arange(most)
    times = (group[:, None] + spin * turn)[:, :, None] + np.array([0.0, between_fields])
    seen = (turn < turns[:, None])[:, :, None] & (rng.random((number, most, 2)) < 0.85)
    mjd = np.unique(times[seen] if seen.any() else group)
    return Visits(mjd, 0.1 * rng.standard_normal(len(mjd)))


def wise(rng: np.random.Generator) -> Visits:
    """A dozen orbits of 94 minutes every half year, more near the ecliptic poles.

    Wright et al. (2010, AJ 140, 1868), Mainzer et al. (2014, ApJ 792, 30): 2010, and from December
    2013 on.
    """
    orbit = 0.0656
    start = rng.uniform(55210, 55390)
    number = int(rng.integers(6, 28))
    groups = start + 182.6 * np.arange(number) + rng.normal(0, 2, number)
    groups = groups[(groups < 55600) | (groups > 56640)]
    orbits = int(7 + rng.gamma(1.3, 7))
    orbits = min(orbits, 90)
    times = groups[:, None] + orbit * np.arange(orbits)
    seen = rng.random(times.shape) < rng.uniform(0.6, 0.95)
    seen[0, 0] = True
    mjd = times[seen]
    return Visits(mjd, 0.1 * rng.standard_normal(len(mjd)))


INFORMATIVE, SCALED, UNINFORMATIVE, EQUAL = range(4)
"""Error bars that follow the noise of each visit; that do, but for a factor; that know neither the
visit nor much of the star; that are one number for all visits."""


@dataclass(frozen=True)
class Photometry:
    """How well a survey measures.

    Attributes:
        bright, faint: magnitudes of the stars in it.
        limit: magnitude with an error of 0.2 mag in a median visit, as a range.
        floor: error of bright stars [mag], as a range.
        sky: share of the sky in the noise at the limit: 1 for faint stars on a bright sky, 0 for
            noise of photons alone.
        error_bars: chances of the four kinds of error bars.
        factor: reported over true errors, median and spread in dex, of scaled ones.
        outliers: share of wild measurements, as a range.
        outlier_size: by how much they are wrong [mag], typically.
        night_error: error common to a night [mag], as a range.
        cameras: chance that several cameras with zero points of their own took turns.
        trend: slow drift of the calibration [mag], as a range.
        decimals: of the magnitudes.
        zero_point: added to the magnitudes, where they are instrumental.
    """

    bright: float
    faint: float
    limit: Range
    floor: Range
    sky: float = 0.9
    error_bars: tuple[float, float, float, float] = (0.6, 0.25, 0.1, 0.05)
    factor: tuple[float, float] = (1.0, 0.12)
    outliers: Range = (0.001, 0.03)
    outlier_size: float = 0.35
    night_error: Range = (0.001, 0.015)
    cameras: float = 0.1
    trend: Range = (0.0005, 0.01)
    decimals: int = 3
    zero_point: float = 0.0

    def mean_magnitude(self, rng: np.random.Generator) -> float:
        """Faint stars are more frequent."""
        return self.bright + (self.faint - self.bright) * float(rng.random()) ** 0.6

    def observe(
        self, visits: Visits, true_mag: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Measures true magnitudes, float64 [n].

        Returns:
            positions int64 [m] of the visits that detected the star; magnitudes float32 [m] and
            errors float32 [m] as the survey reports them.
        """
        limit, floor = rng.uniform(*self.limit), log_uniform(*self.floor, rng)
        error = expected_error(true_mag - limit - visits.depth, floor, self.sky)
        mag = true_mag + self._systematics(visits.mjd, rng)
        noise = rng.standard_normal(len(mag))
        if rng.random() < 0.5:  # heavier tails: the noise of some visits is larger than of others
            noise *= np.exp(rng.uniform(0.1, 0.4) * rng.standard_normal(len(mag)))
        mag += error * noise
        reported = self._error_bars(error, floor, rng)
        self._spoil(mag, reported, rng)
        detected = (error < 0.35) & (reported < 0.7)
        detected &= (mag > self.bright - 3) & (true_mag < self.faint + 1.2)
        place = np.flatnonzero(detected)
        digits = self.decimals + 1
        errmag = np.maximum(np.round(reported[place], digits), 10.0**-digits)
        measured = np.round(mag[place], self.decimals) + self.zero_point
        return place, measured.astype(np.float32), errmag.astype(np.float32)

    def _error_bars(self, error: np.ndarray, floor: float, rng: np.random.Generator) -> np.ndarray:
        chances = np.cumsum(self.error_bars)
        kind = int(np.searchsorted(chances, rng.random() * chances[-1]))
        factor = log_normal(self.factor[0], 0.04 if kind == INFORMATIVE else self.factor[1], rng)
        if kind in (INFORMATIVE, SCALED):
            scatter = rng.uniform(0.0, 0.12) * rng.standard_normal(len(error))
            return factor * error * np.exp(scatter)
        typical = min(float(np.median(error)), 0.3)
        usual = factor * (typical if kind == EQUAL else np.sqrt(floor * typical))
        if kind == EQUAL:
            return np.full(len(error), usual)
        return usual * np.exp(rng.uniform(0.05, 0.3) * rng.standard_normal(len(error)))

    def _systematics(self, mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """float64 [n] mag: zero points of nights and cameras, jumps and drifts."""
        night = np.floor(mjd - mjd[0]).astype(np.int64)
        offsets = log_uniform(*self.night_error, rng) * rng.standard_normal(int(night[-1]) + 1)
        shift = offsets[night]
        if rng.random() < 0.5:
            shift += log_uniform(*self.trend, rng) * wander(mjd, rng.uniform(100, 900), rng)
        if rng.random() < self.cameras:
            cameras = rng.standard_normal(int(rng.integers(2, 5)))
            cameras *= self.night_error[1] * log_uniform(0.3, 3, rng)
            shift += cameras[rng.integers(len(cameras), size=int(night[-1]) + 1)[night]]
        if rng.random() < 0.15:  # new hardware, or a new reference image
            jump = self.night_error[1] * log_uniform(0.3, 5, rng)
            shift += jump * (mjd > rng.uniform(mjd[0], mjd[-1]))
        return shift

    def _spoil(self, mag: np.ndarray, reported: np.ndarray, rng: np.random.Generator) -> None:
        """Cosmic rays, clouds, ghosts and neighbours, in place; half are noticed in the errors."""
        share = log_uniform(*self.outliers, rng)
        wild = np.flatnonzero(rng.random(len(mag)) < share)
        size = self.outlier_size * np.minimum(0.15 + rng.standard_exponential(len(wild)), 7.0)
        mag[wild] += np.where(rng.random(len(wild)) < rng.uniform(0.4, 0.9), size, -size)
        noticed = rng.random(len(wild)) < 0.5
        reported[wild] += 0.3 * size * noticed


def expected_error(below_limit: np.ndarray, floor: float, sky: float) -> np.ndarray:
    """float64 [n], standard deviations [mag] (Ivezic et al. 2019, ApJ 873, 111, section 3.2).

    Args:
        below_limit: float64 [n], magnitude minus that with an error of 0.2 mag.
        floor: error of bright stars [mag].
        sky: share of the sky's noise in the variance at the limit.
    """
    x = 10 ** (0.4 * np.minimum(below_limit, 5.0))
    return np.sqrt(floor**2 + 0.04 * ((1 - sky) * x + sky * x**2))


def blend(change: np.ndarray, share: float) -> np.ndarray:
    """float64 [n], changes of magnitude diluted by constant light, a share of all at the mean."""
    return -2.5 * np.log10((1 - share) * 10 ** (-0.4 * change) + share)
