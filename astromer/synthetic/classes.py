"""The classes of objects: how many, in which surveys, and how they vary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from astromer.synthetic import binaries, irregular, long_period, modes, pulsation, rotation
from astromer.synthetic import transients as transient
from astromer.synthetic.processes import Signal
from astromer.synthetic.surveys import SURVEYS

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
    ObjectClass("HADS", 35, modes.high_amplitude_delta_scuti),
    ObjectClass("DSCT", 25, modes.delta_scuti, PRECISE),
    ObjectClass("GDOR", 12, modes.gamma_doradus, PRECISE),
    ObjectClass("SPB", 10, modes.slowly_pulsating_b, PRECISE),
    ObjectClass("BCEP", 10, modes.beta_cephei),
    ObjectClass("EA", 100, binaries.detached, colour=0.0),
    ObjectClass("EB", 50, binaries.semidetached, colour=0.0),
    ObjectClass("EW", 75, binaries.contact, colour=0.0),
    ObjectClass("ELL", 18, binaries.ellipsoidal, colour=0.2),
    ObjectClass("EP", 50, binaries.transiting_planet, SPACE | {"superwasp"}, colour=0.0),
    ObjectClass("M", 60, long_period.mira, EVERYWHERE - MONTHS),
    ObjectClass("SR", 55, long_period.semiregular, EVERYWHERE - MONTHS),
    ObjectClass("OSARG", 18, long_period.small_amplitude_red_giant, PRECISE - MONTHS),
    ObjectClass("SRD", 8, long_period.yellow_supergiant, EVERYWHERE - MONTHS),
    ObjectClass("RCB", 10, long_period.r_coronae_borealis, EVERYWHERE - MONTHS, colour=0.6),
    ObjectClass("ROT", 45, rotation.spotted, colour=0.7),
    ObjectClass("ACV", 15, rotation.chemically_peculiar, colour=0.3),
    ObjectClass("UV", 12, rotation.flaring),
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
