"""Light curves of any class as any survey would have seen them, made one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.synthetic.cadence import Stretch, Visits
from astromer.synthetic.classes import CLASSES, ObjectClass
from astromer.synthetic.noise import blend
from astromer.synthetic.processes import log_uniform
from astromer.synthetic.surveys import SURVEYS, Survey

FEWEST = 10
"""Observations of the shortest light curve."""

_SURVEYS = np.cumsum([survey.share for survey in SURVEYS])
_CLASSES = {
    survey.name: np.cumsum([c.share if survey.name in c.surveys else 0.0 for c in CLASSES])
    for survey in SURVEYS
}


@dataclass(frozen=True)
class SyntheticSurvey:
    """An endless, seeded sequence of light curves.

    ``survey[i]`` is a pure function of the seed and of ``i``: no part needs another one, so parts
    are made in any order and in parallel, and nothing is stored. The same version of NumPy gives
    the same bits on a machine.

    Attributes:
        seed: not negative.
        longest: observations of the longest light curve. Dense ones are cut to a stretch, others
            thinned out.

    Raises:
        ValueError: a value is out of range.
    """

    seed: int
    longest: int = 3000

    def __post_init__(self) -> None:
        if self.seed < 0 or self.longest < FEWEST:
            raise ValueError(
                f"seed must be at least 0 and longest at least {FEWEST}. Received: {self.seed} and "
                f"{self.longest}."
            )

    def __getitem__(self, index: int) -> LightCurve:
        """Object number ``index`` of the survey, from 0 on.

        Returns:
            a light curve of 10 to ``longest`` observations in one band. ``class_name`` is one of
            :data:`CLASSES`, ``label`` its place there; ``id`` begins with the survey's name;
            ``period`` is that of the strongest mode, the orbit or the rotation, NaN for none.

        Raises:
            IndexError: ``index`` is negative.
        """
        if index < 0:
            raise IndexError(f"index must be at least 0. Received: {index}.")
        rng = np.random.default_rng([self.seed, index])
        survey = SURVEYS[_draw(_SURVEYS, rng)]
        label = _draw(_CLASSES[survey.name], rng)
        band, amplitude = survey.bands[int(rng.integers(len(survey.bands)))]
        while True:  # some objects are fainter than a survey sees, or only visible between visits
            mjd, mag, errmag, period = self._observe(survey, amplitude, CLASSES[label], rng)
            if len(mjd) >= FEWEST:
                return LightCurve(
                    mjd,
                    mag,
                    errmag,
                    id=f"{survey.name}-{self.seed}-{index}",
                    label=label,
                    class_name=CLASSES[label].name,
                    band=band,
                    period=period,
                )

    def light_curves(self, indices: Iterable[int]) -> LightCurves:
        """Some of the objects, packed in the order of their numbers as they are given."""
        return LightCurves.from_curves(self[index] for index in indices)

    def _observe(
        self, survey: Survey, amplitude: float, kind: ObjectClass, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        visits = self._cut(survey.cadence(rng), survey, rng)
        mjd = visits.mjd
        change, period = kind.vary(mjd, rng)
        if kind.colour:
            change = change * amplitude**kind.colour
        photometry = survey.photometry
        if kind.erupts:
            level = photometry.bright + (photometry.faint - photometry.bright) * 0.9 * rng.random()
        else:
            level = photometry.mean_magnitude(rng)
            if rng.random() < 0.15:
                change = blend(change, rng.uniform(0.05, 0.7))
        place, mag, errmag = photometry.observe(visits, level + change, rng)
        return mjd[place], mag, errmag, period

    def _cut(self, visits: Visits, survey: Survey, rng: np.random.Generator) -> Visits:
        """The visits that were made of the star; one in five stars was seen in a part of them."""
        mjd = np.round(visits.mjd, 6)
        number = len(mjd)
        dense = isinstance(survey.cadence, Stretch)
        most = min(number, self.longest)
        if rng.random() < 0.2 and number > 2 * FEWEST:
            most = int(min(most, log_uniform(1.5 * FEWEST, number, rng)))
            dense = dense or rng.random() < 0.4
        if most == number:
            chosen = np.arange(number)
        elif dense:
            first = int(rng.integers(number - most + 1))
            chosen = np.arange(first, first + most)
        else:
            chosen = np.flatnonzero(rng.random(number) < most / number)[: self.longest]
        chosen = chosen[np.diff(mjd[chosen], prepend=-1.0) > 0]
        if len(chosen) < FEWEST:
            chosen = np.arange(number)[np.diff(mjd, prepend=-1.0) > 0][: self.longest]
        return Visits(mjd[chosen], visits.depth[chosen])


def _draw(cumulative: np.ndarray, rng: np.random.Generator) -> int:
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
