"""When a ground-based survey looks at a field: seasons, moon, weather and visits."""

from __future__ import annotations

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
