"""A whole survey: stars of every kind, in fields that share their nights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.synthetic import variability

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


MIN_OBSERVATIONS = 40
MAX_OBSERVATIONS = 1200
NUM_FIELDS = 24

# Separate random streams, so that star 7 is the same star in a survey of 20 and one of 2,000.
_FIELD_STREAM = 1
_STAR_STREAM = 2

Variability = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class StarClass:
    """One kind of object.

    Attributes:
        name: as in variable-star catalogues.
        share: stars out of every 20.
        bright: brightest mean magnitude.
        faint: faintest mean magnitude.
        variability: magnitudes around (or, for eclipses, above) the mean at given times.
    """

    name: str
    share: int
    bright: float
    faint: float
    variability: Variability


def _constant(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.zeros(len(mjd))


STAR_CLASSES = (
    StarClass("Cep_0", 3, 12.5, 17.0, variability.cepheid),
    StarClass("Const", 1, 12.0, 18.5, _constant),
    StarClass("DSCT", 1, 12.5, 17.0, variability.delta_scuti),
    StarClass("EA", 2, 12.0, 17.5, variability.detached),
    StarClass("EW", 2, 12.5, 17.5, variability.contact),
    StarClass("Mira", 2, 12.0, 15.5, variability.mira),
    StarClass("QSO", 1, 15.5, 18.5, variability.random_walk),
    StarClass("ROT", 1, 12.0, 16.5, variability.quasi_periodic),
    StarClass("RRab", 3, 13.0, 17.8, variability.rr_lyrae_ab),
    StarClass("RRc", 2, 13.0, 17.8, variability.rr_lyrae_c),
    StarClass("SR", 2, 12.0, 16.5, variability.semiregular),
)
"""Sorted by name; a class's index is its label."""


def _in_rounds() -> tuple[int, ...]:
    """The labels of 20 successive stars, classes interleaved so that few stars show them all."""
    largest = max(star_class.share for star_class in STAR_CLASSES)
    return tuple(
        label
        for turn in range(largest)
        for label, star_class in enumerate(STAR_CLASSES)
        if turn < star_class.share
    )


_LABELS_IN_TURN = _in_rounds()


def label_of(index: int) -> int:
    """The class of star number ``index``, which no seed changes."""
    return _LABELS_IN_TURN[index % len(_LABELS_IN_TURN)]


def make_star(index: int, seed: int) -> LightCurve:
    """Star number ``index`` of the survey ``seed``.

    Returns:
        a light curve of 40 to 1200 observations at increasing times; magnitudes have three
        decimals, MJD five.
    """
    label = label_of(index)
    star_class = STAR_CLASSES[label]
    rng = np.random.default_rng([seed, _STAR_STREAM, index])
    field = _field(int(rng.integers(NUM_FIELDS)), seed)
    mean_mag = rng.triangular(star_class.bright, star_class.faint, star_class.faint)
    # A star near the edge of the detector is missed in many visits.
    covered = rng.random(len(field.mjd)) < rng.uniform(0.5, 1.0)
    true_mag = mean_mag + star_class.variability(field.mjd, rng)
    mag, errmag, detected = observe(true_mag, field.depth, rng)
    visits = _choose(covered, detected, rng)
    return LightCurve(
        mjd=field.mjd[visits],
        mag=mag[visits].astype(np.float32),
        errmag=errmag[visits].astype(np.float32),
        id=f"SYN-{seed}-{index:06d}",
        label=label,
        class_name=star_class.name,
    )


def make_survey(
    curves: int, seed: int, progress: Callable[[Iterable[int]], Iterable[int]] = iter
) -> LightCurves:
    """A survey of ``curves`` stars; equal arguments give equal arrays.

    Args:
        progress: wraps the iteration over the stars, for instance in a progress bar.

    Raises:
        ValueError: ``curves`` or ``seed`` is negative.
    """
    if curves < 0 or seed < 0:
        raise ValueError(f"curves and seed must not be negative, got {curves} and {seed}")
    return LightCurves.from_curves(make_star(index, seed) for index in progress(range(curves)))


def _field(number: int, seed: int) -> Nights:
    rng = np.random.default_rng([seed, _FIELD_STREAM, number])
    return nights(visit_times(rng), rng)


def _choose(covered: np.ndarray, detected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int64 [40..1200], the visits that enter the light curve, in order."""
    chosen = np.flatnonzero(covered & detected)
    if len(chosen) < MIN_OBSERVATIONS:
        chosen = np.flatnonzero(detected)
    if len(chosen) < MIN_OBSERVATIONS:
        chosen = np.arange(len(detected))
    if len(chosen) > MAX_OBSERVATIONS:
        chosen = np.sort(rng.choice(chosen, MAX_OBSERVATIONS, replace=False))
    return chosen
