"""The surveys: cadence, photometry and pass band of each, by its own description."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.records.synthetic.observing import (
    Cadence,
    GroundBased,
    Photometry,
    Stretch,
    gaia,
    wise,
)


@dataclass(frozen=True)
class ObservedSurvey:
    """A survey.

    Attributes:
        name: lower case.
        share: stars out of every 100.
        bands: names, and amplitudes of pulsations over those in V; one is drawn for each star.
        cadence: draws the visits of a star.
        photometry: what is measured.
    """

    name: str
    share: float
    bands: tuple[tuple[str, float], ...]
    cadence: Cadence
    photometry: Photometry


_V, _G, _R, _I = ("V", 1.0), ("g", 1.25), ("r", 0.8), ("I", 0.62)

SURVEYS = (
    # Bellm et al. (2019, PASP 131, 018002), Masci et al. (2019, PASP 131, 018003).
    ObservedSurvey(
        "ztf",
        14,
        (_G, _R),
        GroundBased(
            start=(58180, 58400),
            span=(350, 2600),
            interval=(1.5, 6),
            visits=(0.75, 0.17, 0.04, 0.02, 0.02),
            separation=(0.01, 0.06),
            season=(150, 300),
            moon=(0.0, 2.5),
            regular=(0.1, 0.6),
        ),
        Photometry(
            bright=12.8, faint=20.4, limit=(20.3, 20.9), floor=(0.007, 0.018), outliers=(1e-3, 0.02)
        ),
    ),
    # Shappee et al. (2014, ApJ 788, 48), Kochanek et al. (2017, PASP 129, 104502).
    ObservedSurvey(
        "asassn",
        11,
        (_V, _V, _G),
        GroundBased(
            start=(56400, 58000),
            span=(700, 3500),
            interval=(1.5, 6),
            visits=(0.35, 0.25, 0.4),
            separation=(0.0011, 0.0018),
            season=(180, 310),
            hours=(0.03, 0.12),
        ),
        Photometry(
            bright=10.5,
            faint=16.6,
            limit=(16.5, 17.3),
            floor=(0.006, 0.025),
            factor=(0.85, 0.15),
            outliers=(2e-3, 0.04),
            night_error=(0.003, 0.02),
            cameras=0.6,
        ),
    ),
    # Tonry et al. (2018, PASP 130, 064505), Heinze et al. (2018, AJ 156, 241).
    ObservedSurvey(
        "atlas",
        9,
        (("o", 0.75), ("c", 1.05)),
        GroundBased(
            start=(57250, 58000),
            span=(500, 2600),
            interval=(3, 9),
            visits=(0.0, 0.0, 0.15, 0.75, 0.05, 0.03, 0.02),
            separation=(0.007, 0.016),
            season=(180, 280),
            moon=(0, 3),
            regular=(0.0, 0.4),
        ),
        Photometry(
            bright=12.2,
            faint=18.9,
            limit=(18.9, 19.6),
            floor=(0.006, 0.02),
            factor=(0.8, 0.12),
            outliers=(5e-3, 0.06),
            night_error=(0.003, 0.02),
            cameras=0.2,
        ),
    ),
    # Gaia Collaboration (2016, A&A 595, A1), Riello et al. (2021, A&A 649, A3), Evans et al. (2023,
    # A&A 674, A4).
    ObservedSurvey(
        "gaia",
        9,
        (("G", 0.9),),
        gaia,
        Photometry(
            bright=9.0,
            faint=20.0,
            limit=(25.0, 26.0),
            floor=(0.0008, 0.004),
            sky=0.0,
            factor=(0.7, 0.15),
            outliers=(1e-3, 0.02),
            outlier_size=0.2,
            night_error=(2e-4, 3e-3),
            cameras=0.0,
            trend=(2e-4, 2e-3),
            decimals=4,
        ),
    ),
    # Udalski, Szymanski & Szymanski (2015, AcA 65, 1); III: Udalski et al. (2008, AcA 58, 69).
    ObservedSurvey(
        "ogle",
        11,
        (_I, _I, _I, _V),
        GroundBased(
            start=(52000, 57000),
            span=(700, 4500),
            interval=(1.1, 7),
            visits=(0.8, 0.1, 0.04, 0.02, 0.01, 0.01, 0.01, 0.01),
            separation=(0.02, 0.08),
            season=(210, 340),
            moon=(0, 1.0),
        ),
        Photometry(
            bright=12.7,
            faint=20.3,
            limit=(20.4, 21.2),
            floor=(0.003, 0.008),
            factor=(0.8, 0.1),
            outliers=(5e-4, 0.015),
            night_error=(0.001, 0.006),
        ),
    ),
    # Pojmanski (2002, AcA 52, 397).
    ObservedSurvey(
        "asas",
        8,
        (_V,),
        GroundBased(
            start=(51870, 52800),
            span=(1000, 3200),
            interval=(1.6, 7),
            visits=(0.8, 0.15, 0.05),
            separation=(0.001, 0.06),
            season=(170, 330),
            moon=(0, 1.5),
            hours=(0.02, 0.07),
        ),
        Photometry(
            bright=8.0,
            faint=13.8,
            limit=(14.1, 14.8),
            floor=(0.012, 0.025),
            sky=0.5,
            factor=(1.3, 0.12),
            error_bars=(0.1, 0.15, 0.7, 0.05),
            outliers=(3e-3, 0.05),
            night_error=(0.004, 0.025),
            cameras=0.5,
            trend=(0.002, 0.03),
        ),
    ),
    # Drake et al. (2009, ApJ 696, 870; 2017, MNRAS 469, 3688): errors are too large.
    ObservedSurvey(
        "crts",
        8,
        (_V,),
        GroundBased(
            start=(53480, 54300),
            span=(1500, 3200),
            interval=(7, 32),
            visits=(0.0, 0.0, 0.05, 0.95),
            separation=(0.004, 0.012),
            season=(160, 270),
            moon=(2, 5),
            regular=(0.0, 0.3),
            sharing=(0.8, 1.0),
        ),
        Photometry(
            bright=11.8,
            faint=19.0,
            limit=(19.0, 19.9),
            floor=(0.02, 0.035),
            sky=0.2,
            error_bars=(0.0, 0.9, 0.1, 0.0),
            factor=(1.9, 0.1),
            outliers=(2e-3, 0.04),
            night_error=(0.005, 0.03),
            decimals=2,
        ),
    ),
    # Borucki et al. (2010, Science 327, 977), Howell et al. (2014, PASP 126, 398).
    ObservedSurvey(
        "kepler",
        4,
        (("Kp", 0.9),),
        Stretch(start=(54964, 58300), step=(0.0204344,), length=(8, 45)),
        Photometry(
            bright=9.0,
            faint=18.0,
            limit=(27.4, 28.6),
            floor=(3e-5, 1e-3),
            sky=0.0,
            outliers=(5e-4, 0.005),
            outlier_size=0.01,
            night_error=(1e-5, 5e-4),
            cameras=0.0,
            trend=(1e-4, 1e-2),
            decimals=5,
        ),
    ),
    # Ricker et al. (2015, JATIS 1, 014003), Huang et al. (2020, RNAAS 4, 204).
    ObservedSurvey(
        "tess",
        5,
        (("T", 0.7),),
        Stretch(
            start=(58325, 60500),
            step=(0.0208333, 0.0208333, 0.0069444),
            length=(4, 27),
            stretches=(0.8, 0.2),
            between=(1, 730),
            interruption=(0.5, 2.0),
        ),
        Photometry(
            bright=6.5,
            faint=15.8,
            limit=(18.2, 19.0),
            floor=(2e-4, 1e-3),
            sky=0.99,
            outliers=(5e-4, 0.01),
            outlier_size=0.03,
            night_error=(1e-4, 3e-3),
            cameras=0.0,
            trend=(1e-3, 2e-2),
            decimals=5,
        ),
    ),
    # Ivezic et al. (2019, ApJ 873, 111): one band of six, and the fields that are visited more.
    ObservedSurvey(
        "lsst",
        7,
        (_G, _R, ("i", 0.65), ("z", 0.55)),
        GroundBased(
            start=(60800, 61200),
            span=(400, 3650),
            interval=(4, 18),
            visits=(0.7, 0.25, 0.05),
            separation=(0.015, 0.03),
            season=(140, 230),
            moon=(0.0, 1.0),
            sharing=(0.2, 0.9),
        ),
        Photometry(
            bright=16.0,
            faint=24.0,
            limit=(23.6, 24.6),
            floor=(0.004, 0.008),
            outliers=(5e-4, 0.01),
            night_error=(0.001, 0.006),
        ),
    ),
    # Wright et al. (2010, AJ 140, 1868), Mainzer et al. (2014, ApJ 792, 30).
    ObservedSurvey(
        "wise",
        4,
        (("W1", 0.32),),
        wise,
        Photometry(
            bright=8.0,
            faint=14.8,
            limit=(15.2, 16.2),
            floor=(0.01, 0.03),
            sky=0.95,
            outliers=(2e-3, 0.03),
            night_error=(0.001, 0.01),
            cameras=0.0,
        ),
    ),
    # Alcock et al. (1999, PASP 111, 1539): instrumental magnitudes.
    ObservedSurvey(
        "macho",
        6,
        (("R", 0.78), ("B", 1.2)),
        GroundBased(
            start=(48820, 49300),
            span=(1200, 2720),
            interval=(1.2, 6),
            visits=(0.8, 0.15, 0.05),
            separation=(0.02, 0.2),
            season=(230, 365),
            moon=(0, 1.0),
        ),
        Photometry(
            bright=13.5,
            faint=20.5,
            limit=(20.4, 21.4),
            floor=(0.006, 0.02),
            error_bars=(0.75, 0.2, 0.03, 0.02),
            outliers=(2e-3, 0.04),
            night_error=(0.002, 0.015),
            zero_point=-24.0,
        ),
    ),
    # Pollacco et al. (2006, PASP 118, 1407): whole nights, every ten minutes or so.
    ObservedSurvey(
        "superwasp",
        4,
        (_V,),
        GroundBased(
            start=(53100, 55500),
            span=(60, 500),
            interval=(1.3, 4),
            visits=(0,) * 14 + (1.0,) * 40,
            separation=(0.006, 0.014),
            season=(100, 170),
            moon=(0, 3),
            hours=(0.005, 0.02),
            sharing=(0.3, 0.95),
            drift=(0.2, 0.35),
        ),
        Photometry(
            bright=8.5,
            faint=14.2,
            limit=(15.6, 16.5),
            floor=(0.003, 0.008),
            factor=(0.8, 0.15),
            outliers=(1e-3, 0.02),
            night_error=(0.003, 0.015),
            cameras=0.3,
            trend=(0.003, 0.03),
        ),
    ),
)
