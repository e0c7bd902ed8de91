"""A whole survey: stars of every kind, in fields that share their nights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.synthetic import variability
from astromer.records.synthetic.observing import Nights, nights, observe, visit_times

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
