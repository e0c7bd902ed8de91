"""An endless synthetic survey to pre-train on: most classes of variable objects, many surveys.

``SyntheticSurvey(seed)[i]`` is a light curve; nothing is stored. ``CLASSES`` says which
kinds of objects there are, how many, in which surveys, and how they vary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.synthetic import binaries, irregular, pulsation
from astromer.records.synthetic import transients as transient
from astromer.records.synthetic.observing import Stretch, Visits, blend
from astromer.records.synthetic.processes import Signal, log_uniform
from astromer.records.synthetic.surveys import SURVEYS, ObservedSurvey

EVERYWHERE = frozenset(survey.name for survey in SURVEYS)
SPACE = frozenset({"kepler", "tess"})
MONTHS = SPACE | {"superwasp"}
"""Surveys that hardly see a cycle of a slow variable."""
PRECISE = SPACE | {"gaia", "ogle", "superwasp", "ztf", "lsst"}
"""Surveys that see hundredths of a magnitude."""
DEEP = frozenset({"ztf", "atlas", "gaia", "ogle", "crts", "lsst", "wise", "macho"})
"""Surveys that see other galaxies."""


@dataclass(frozen=True)
class ObjectClass:
    """One kind of object.

    Attributes:
        name: after the International Variable Star Index, where it has one.
        share: how frequent it is beside the other classes that a survey has.
        vary: draws an object: change of its magnitude in V, and its period.
        surveys: names of the surveys that have it.
        colour: power of the survey's amplitude in which the change goes: 1 where temperature
            changes, 0 where it is as large in every band.
        erupts: whether the change is below the peak instead of around the mean.
    """

    name: str
    share: float
    vary: Callable[[np.ndarray, np.random.Generator], Signal]
    surveys: frozenset[str] = EVERYWHERE
    colour: float = 1.0
    erupts: bool = False


# Shares are not those of the sky, where nine in ten variable stars are red giants, spotted stars
# and contact binaries: classes are frequent where a shape has much to learn (eclipses, sawteeth,
# more than one period) and where catalogues are large; none is left with a handful of stars.
CLASSES = (
    ObjectClass("RRab", 95, pulsation.rr_lyrae_ab),
    ObjectClass("RRc", 50, pulsation.rr_lyrae_c),
    ObjectClass("RRd", 25, pulsation.rr_lyrae_d),
    ObjectClass("DCEP", 55, pulsation.cepheid),
    ObjectClass("DCEP-1O", 30, pulsation.cepheid_overtone),
    ObjectClass("DCEP-F1O", 10, pulsation.cepheid_double),
    ObjectClass("DCEP-1O2O", 10, pulsation.cepheid_double_overtone),
    ObjectClass("ACEP", 12, pulsation.cepheid_anomalous),
    ObjectClass("BLHER", 12, pulsation.bl_herculis),
    ObjectClass("WVIR", 12, pulsation.w_virginis),
    ObjectClass("RVTAU", 12, pulsation.rv_tauri, EVERYWHERE - MONTHS),
    ObjectClass("HADS", 35, pulsation.high_amplitude_delta_scuti),
    ObjectClass("DSCT", 25, pulsation.delta_scuti, PRECISE),
    ObjectClass("GDOR", 12, pulsation.gamma_doradus, PRECISE),
    ObjectClass("SPB", 10, pulsation.slowly_pulsating_b, PRECISE),
    ObjectClass("BCEP", 10, pulsation.beta_cephei),
    ObjectClass("EA", 100, binaries.detached, colour=0.0),
    ObjectClass("EB", 50, binaries.semidetached, colour=0.0),
    ObjectClass("EW", 75, binaries.contact, colour=0.0),
    ObjectClass("ELL", 18, binaries.ellipsoidal, colour=0.2),
    ObjectClass("EP", 50, binaries.transiting_planet, SPACE | {"superwasp"}, colour=0.0),
    ObjectClass("M", 60, irregular.mira, EVERYWHERE - MONTHS),
    ObjectClass("SR", 55, irregular.semiregular, EVERYWHERE - MONTHS),
    ObjectClass("OSARG", 18, irregular.small_amplitude_red_giant, PRECISE - MONTHS),
    ObjectClass("SRD", 8, irregular.yellow_supergiant, EVERYWHERE - MONTHS),
    ObjectClass("RCB", 10, irregular.r_coronae_borealis, EVERYWHERE - MONTHS, colour=0.6),
    ObjectClass("ROT", 45, irregular.spotted, colour=0.7),
    ObjectClass("ACV", 15, irregular.chemically_peculiar, colour=0.3),
    ObjectClass("UV", 12, irregular.flaring),
    ObjectClass("CTTS", 15, irregular.t_tauri, colour=0.7),
    ObjectClass("DIP", 12, irregular.dipper, colour=0.5),
    ObjectClass("BURST", 10, irregular.burster, colour=0.5),
    ObjectClass("UXOR", 8, irregular.ux_orionis, EVERYWHERE - MONTHS, colour=0.5),
    ObjectClass("BE", 15, irregular.be_star, colour=0.3),
    ObjectClass("QSO", 45, irregular.quasar, DEEP, colour=0.3),
    ObjectClass("BLAZAR", 10, irregular.blazar, DEEP, colour=0.0),
    ObjectClass("UG", 15, transient.dwarf_nova, colour=0.0),
    ObjectClass("AM", 8, transient.polar, colour=0.0),
    ObjectClass("N", 8, transient.nova, EVERYWHERE - SPACE, colour=0.0, erupts=True),
    ObjectClass("SNIa", 12, transient.supernova_ia, DEEP | {"asassn"}, 0.0, erupts=True),
    ObjectClass("SNII", 10, transient.supernova_ii, DEEP | {"asassn"}, 0.0, erupts=True),
    ObjectClass("SNIbc", 6, transient.supernova_ibc, DEEP | {"asassn"}, 0.0, erupts=True),
    ObjectClass("ML", 12, transient.microlensing, DEEP, colour=0.0),
    ObjectClass("CST", 45, irregular.constant),
)
"""Sorted by kind; a class's place is its label."""


_FEWEST = 10
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
        if self.seed < 0 or self.longest < _FEWEST:
            raise ValueError(
                f"seed must be at least 0 and longest at least {_FEWEST}. Received: {self.seed} "
                f"and {self.longest}."
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
            if len(mjd) >= _FEWEST:
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
        self, survey: ObservedSurvey, amplitude: float, kind: ObjectClass, rng: np.random.Generator
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

    def _cut(self, visits: Visits, survey: ObservedSurvey, rng: np.random.Generator) -> Visits:
        """The visits that were made of the star; one in five stars was seen in a part of them."""
        mjd = np.round(visits.mjd, 6)
        number = len(mjd)
        dense = isinstance(survey.cadence, Stretch)
        most = min(number, self.longest)
        if rng.random() < 0.2 and number > 2 * _FEWEST:
            most = int(min(most, log_uniform(1.5 * _FEWEST, number, rng)))
            dense = dense or rng.random() < 0.4
        if most == number:
            chosen = np.arange(number)
        elif dense:
            first = int(rng.integers(number - most + 1))
            chosen = np.arange(first, first + most)
        else:
            chosen = np.flatnonzero(rng.random(number) < most / number)[: self.longest]
        chosen = chosen[np.diff(mjd[chosen], prepend=-1.0) > 0]
        if len(chosen) < _FEWEST:
            chosen = np.arange(number)[np.diff(mjd, prepend=-1.0) > 0][: self.longest]
        return Visits(mjd[chosen], visits.depth[chosen])


def with_synthetic(curves: LightCurves, share: float, seed: int) -> LightCurves:
    """Light curves of a survey, followed by synthetic ones.

    Args:
        curves: of the survey.
        share: part of all that is synthetic, at least 0 and less than 1.
        seed: of the synthetic survey.
    """
    number = round(share / (1 - share) * len(curves))
    stars = SyntheticSurvey(seed).light_curves(range(number))
    return LightCurves.concatenate([curves, stars])


def _draw(cumulative: np.ndarray, rng: np.random.Generator) -> int:
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
