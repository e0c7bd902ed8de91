"""What a survey measures of a true magnitude, and which error bars it writes beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astromer.synthetic.cadence import Range, Visits
from astromer.synthetic.processes import log_normal, log_uniform, wander

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
