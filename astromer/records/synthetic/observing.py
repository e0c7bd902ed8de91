"""When a ground-based survey looks at a field: seasons, moon, weather and visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

YEAR = 365.25
SYNODIC_MONTH = 29.530588
FULL_MOON_MJD = 51564.195
SIDEREAL_SHIFT = 1 / YEAR


def visit_times(rng: np.random.Generator) -> np.ndarray:
    """Visits of one field over a survey of several years.

    Returns:
        float64 [num_visits], MJD in days, strictly increasing. 60 visits at least.
    """
    while True:
        nights = _observed_nights(rng)
        mjd = _visits_in(nights, rng)
        if len(mjd) >= 60:
            return mjd


def _observed_nights(rng: np.random.Generator) -> np.ndarray:
    """float64 [nights], MJD of the local midnights on which the field was observed."""
    start = rng.uniform(53000, 57500)
    night = np.floor(start) + np.arange(int(YEAR * rng.uniform(2.5, 8.0)))
    observed = _in_season(night, start, rng) & _dark_enough(night, rng) & _clear(len(night), rng)
    outage = rng.uniform(night[0], night[-1])
    observed &= ~((night > outage) & (night < outage + rng.uniform(15, 60)))
    return night[observed & _scheduled(len(night), rng)]


def _in_season(night: np.ndarray, season_start: float, rng: np.random.Generator) -> np.ndarray:
    return (night - season_start) % YEAR < rng.uniform(140, 290)


def _dark_enough(night: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    from_full = (night - FULL_MOON_MJD + SYNODIC_MONTH / 2) % SYNODIC_MONTH - SYNODIC_MONTH / 2
    # Within a couple of days of full moon nobody observes; somewhat further it is a gamble.
    edge = rng.uniform(1.0, 4.0)
    return np.abs(from_full) > edge + rng.exponential(0.7, len(night))


def _clear(num_nights: int, rng: np.random.Generator) -> np.ndarray:
    """Weather comes in spells: a two-state Markov chain, drawn as lengths of spells."""
    clear_spells = rng.geometric(rng.uniform(0.15, 0.35), num_nights)
    cloudy_spells = rng.geometric(rng.uniform(0.35, 0.6), num_nights)
    spells = np.column_stack([clear_spells, cloudy_spells]).ravel()
    return np.repeat(np.arange(len(spells)) % 2 == 0, spells)[:num_nights]


def _scheduled(num_nights: int, rng: np.random.Generator) -> np.ndarray:
    nights_between_visits = np.exp(rng.uniform(np.log(1.0), np.log(4.0)))
    return rng.random(num_nights) < 1 / nights_between_visits


def _visits_in(nights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One visit a night, in some fields a pair or three of them within the hour."""
    # A field culminates four minutes earlier every night, so visits drift through the night.
    culmination = 0.25 - ((nights * SIDEREAL_SHIFT + rng.random()) % 1 - 0.5) * 0.3
    first = nights + culmination + rng.normal(0, 0.04, len(nights))
    extra_visits = rng.choice([0, 1, 2], p=[0.6, 0.3, 0.1])
    separation = rng.uniform(0.01, 0.04)
    visits = [first]
    for repeat in range(1, extra_visits + 1):
        made = rng.random(len(nights)) < 0.8
        visits.append(first[made] + repeat * separation + rng.normal(0, 0.001, int(made.sum())))
    return np.unique(np.round(np.concatenate(visits), 5))


ERROR_FLOOR = 0.006
"""Calibration limits bright stars [mag]."""

FIVE_SIGMA_LIMIT = 19.5
"""Magnitude at which a median night gives an error of 0.2 mag."""

MAX_ERROR = 0.6
"""Surveys report no detection beyond about two sigma [mag]."""


@dataclass(frozen=True)
class Nights:
    """Observing conditions of a field, shared by all of its stars.

    Attributes:
        mjd: float64 [n], days.
        depth: float64 [n], magnitudes by which a visit goes deeper than a median one.
    """

    mjd: np.ndarray
    depth: np.ndarray


def nights(mjd: np.ndarray, rng: np.random.Generator) -> Nights:
    """Draws seeing and transparency for the visits at ``mjd``, float64 [n]."""
    seeing = rng.normal(0, 0.25, len(mjd))
    thin_cloud = rng.exponential(0.5, len(mjd)) * (rng.random(len(mjd)) < 0.1)
    return Nights(mjd, seeing - thin_cloud)


def expected_error(mag: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """float64 [n], 1-sigma errors [mag] of stars at ``mag`` in visits of that ``depth``."""
    below_limit = mag - (FIVE_SIGMA_LIMIT + depth)
    photons = 10 ** (0.2 * below_limit)
    sky = 10 ** (0.4 * below_limit)
    return np.hypot(ERROR_FLOOR, 0.2 * np.sqrt(0.3 * photons**2 + 0.7 * sky**2))


def observe(
    mag: np.ndarray, depth: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measures true magnitudes ``mag`` [n] in visits of the given ``depth`` [n].

    Returns:
        measured magnitudes float64 [n] and their reported errors float64 [n], both rounded to
        0.001 mag as catalogues are; and which visits gave a detection, bool [n].
    """
    error = expected_error(mag, depth)
    # Pipelines misjudge their errors: by a factor for a star (crowding), a little at each visit.
    reported = error * np.exp(rng.normal(0, 0.12)) * np.exp(rng.normal(0, 0.08, len(mag)))
    # Residuals have heavier tails than a Gaussian: Student's t with 6 degrees of freedom.
    measured = mag + error * rng.standard_t(6, len(mag)) * np.sqrt(4 / 6)
    measured, reported = _spoil(measured, reported, rng)
    measured, reported = np.round(measured, 3), np.round(np.maximum(reported, 0.001), 3)
    return measured, reported, reported < MAX_ERROR


def _spoil(
    mag: np.ndarray, errmag: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cosmic rays and blends make outliers of a few percent; half are flagged by their error."""
    outlier = rng.random(len(mag)) < rng.uniform(0.005, 0.04)
    sign = np.where(rng.random(len(mag)) < 0.65, 1.0, -1.0)
    shift = sign * np.minimum(0.1 + rng.exponential(0.35, len(mag)), 2.0)
    flagged = rng.random(len(mag)) < 0.5
    spoiled_errmag = np.where(flagged, errmag + 0.3 * np.abs(shift), errmag)
    return np.where(outlier, mag + shift, mag), np.where(outlier, spoiled_errmag, errmag)
