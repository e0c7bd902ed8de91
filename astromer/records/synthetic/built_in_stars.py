"""Stars of the built-in survey: how they vary, when they are visited, and what is measured.

Pulsating stars, eclipsing binaries, long-period variables, spotted stars and quasars, in fields
that share their nights.

Pulsations are Fourier series with the phases that observed stars have; eclipses have the
phenomenological profile of Mikulasek (2015, A&A 584, A8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from astromer.records.synthetic.observing import FULL_MOON, SYNODIC_MONTH, YEAR, expected_error
from astromer.records.synthetic.processes import damped_oscillation, fourier_series

# Amplitude ratios R_k1 and phase differences phi_k1 [rad] of a cosine series in V, k = 2, 3, ...
# RR Lyrae: after Kovacs & Walker (2001) and the OGLE catalogues.
RRAB_RATIOS = np.array([0.48, 0.34, 0.22, 0.14, 0.09, 0.05])
RRAB_PHASES = np.array([3.95, 1.95, 6.10, 4.05, 2.00, 0.10])
RRC_RATIOS = np.array([0.12, 0.07])
RRC_PHASES = np.array([4.70, 3.00])
DSCT_RATIOS = np.array([0.25, 0.08])
DSCT_PHASES = np.array([4.00, 2.00])

# Classical Cepheids along the Hertzsprung progression (Simon & Lee 1981): the bump of stars
# near ten days shows as a dip of R_21 and a jump of the phases.
CEPHEID_LOG_PERIODS = np.array([0.4, 0.7, 0.9, 1.0, 1.1, 1.3, 1.7])
CEPHEID_RATIOS = np.array(
    [
        [0.45, 0.42, 0.28, 0.15, 0.18, 0.38, 0.40],
        [0.22, 0.18, 0.09, 0.08, 0.12, 0.22, 0.24],
        [0.11, 0.08, 0.05, 0.05, 0.07, 0.12, 0.13],
    ]
)
CEPHEID_PHASES = np.array(
    [
        [4.05, 4.40, 4.75, 5.20, 4.30, 4.35, 4.55],
        [1.90, 2.70, 3.30, 4.60, 1.20, 1.90, 2.40],
        [5.90, 6.90, 7.90, 8.80, 4.30, 5.60, 6.30],
    ]
)

_STEPS = 200
"""Of a cycle, by which the amplitude of a series is measured."""


def _rr_lyrae_ab(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of an RRab star around its mean; a third show the Blazhko effect."""
    period = float(np.clip(rng.normal(0.58, 0.07), 0.40, 0.85))
    # Period-amplitude relation: long-period RRab stars pulsate less and more like a sine.
    amplitude = float(np.clip(1.0 - 2.6 * (period - 0.58) + rng.normal(0, 0.1), 0.3, 1.35))
    phase = mjd / period + rng.random()
    ratios = RRAB_RATIOS * np.power(min(1.0, 0.5 + 0.5 * amplitude), np.arange(1, 7))
    if rng.random() < 0.33:
        blazhko = 2 * np.pi * (mjd / rng.uniform(20, 120) + rng.random())
        amplitude = amplitude * (1 + rng.uniform(0.05, 0.3) * np.cos(blazhko))
        phase = phase + rng.uniform(0.0, 0.02) * np.sin(blazhko)
    phases = RRAB_PHASES + rng.normal(0, 0.06, 6)
    return amplitude * fourier_series(phase, ratios, phases, steps=_STEPS)


def _rr_lyrae_c(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of an RRc star around its mean."""
    period = float(np.clip(rng.normal(0.33, 0.04), 0.24, 0.45))
    phases = RRC_PHASES + rng.normal(0, 0.3, 2)
    return rng.uniform(0.25, 0.55) * _pulsate(mjd, period, RRC_RATIOS, phases, rng)


def _delta_scuti(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a high-amplitude delta Scuti star around its mean."""
    period = np.exp(rng.uniform(np.log(0.05), np.log(0.2)))
    phases = DSCT_PHASES + rng.normal(0, 0.2, 2)
    magnitudes = rng.uniform(0.15, 0.6) * _pulsate(mjd, period, DSCT_RATIOS, phases, rng)
    if rng.random() < 0.4:  # first overtone: period ratio 0.77
        overtone = _pulsate(mjd, 0.77 * period, DSCT_RATIOS[:1], phases[:1], rng)
        magnitudes = magnitudes + rng.uniform(0.05, 0.2) * overtone
    return magnitudes


def _cepheid(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a fundamental-mode classical Cepheid around its mean."""
    log_period = float(np.clip(rng.gamma(3.0, 0.14) + 0.4, 0.4, 1.7))
    ratios = _at(CEPHEID_RATIOS, log_period) * rng.uniform(0.85, 1.15)
    phases = _at(CEPHEID_PHASES, log_period) + rng.normal(0, 0.1, len(CEPHEID_PHASES))
    amplitude = rng.uniform(0.4, 1.0) * (0.75 if 0.9 < log_period < 1.1 else 1.0)
    return amplitude * _pulsate(mjd, 10**log_period, ratios, phases, rng)


def _at(table: np.ndarray, log_period: float) -> np.ndarray:
    return np.array([np.interp(log_period, CEPHEID_LOG_PERIODS, row) for row in table])


def _pulsate(
    mjd: np.ndarray,
    period: float,
    ratios: np.ndarray,
    phases: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    return fourier_series(mjd / period + rng.random(), ratios, phases, steps=_STEPS)


def eclipse_profile(phase: np.ndarray, centre: float, width: float, flatness: float) -> np.ndarray:
    """One eclipse of unit depth.

    Args:
        phase: float [n], cycles.
        centre: phase of mid-eclipse.
        width: about a quarter of the eclipse's duration, cycles.
        flatness: kurtosis; 1 is a rounded V, smaller is sharper, larger has a flat bottom.

    Returns:
        float64 [n], 1 at mid-eclipse, 0 far from it.
    """
    distance = (phase - centre + 0.5) % 1 - 0.5
    # cosh overflows far from the eclipse, where the profile is 0 anyway.
    wings = 1 - np.cosh(np.minimum(np.abs(distance / width), 30.0))
    return 1 - np.power(1 - np.exp(wings), flatness)


def _detached(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of an EA binary above its light outside eclipse."""
    period = np.exp(rng.uniform(np.log(0.8), np.log(20.0)))
    phase = mjd / period + rng.random()
    depth = rng.uniform(0.25, 1.2)
    width = float(np.clip(0.035 * (3.0 / period) ** 0.4 * rng.uniform(0.7, 1.5), 0.008, 0.06))
    flatness = rng.uniform(0.7, 1.6)
    # Short-period orbits are circular: their secondary eclipse stands at phase 0.5.
    secondary = 0.5 + (rng.normal(0, 0.04) if period > 5 else 0.0)
    primary_dip = depth * eclipse_profile(phase, 0.0, width, flatness)
    secondary_dip = (
        depth
        * rng.uniform(0.1, 0.95)
        * eclipse_profile(phase, secondary, width * rng.uniform(0.9, 1.1), flatness)
    )
    return primary_dip + secondary_dip + _ellipsoidal(phase, rng.uniform(0.0, 0.04))


def _contact(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of an EW binary above its maximum light."""
    period = float(np.clip(rng.normal(0.38, 0.08), 0.22, 0.8))
    phase = mjd / period + rng.random()
    depth = rng.uniform(0.2, 0.7)
    flatness = rng.uniform(0.8, 1.1)
    width = rng.uniform(0.09, 0.12)
    dips = eclipse_profile(phase, 0.0, width, flatness) + rng.uniform(0.8, 1.0) * eclipse_profile(
        phase, 0.5, width, flatness
    )
    oconnell = rng.normal(0, 0.01) * np.sin(2 * np.pi * phase)
    return 0.7 * depth * dips + _ellipsoidal(phase, 0.3 * depth) + oconnell


def _ellipsoidal(phase: np.ndarray, amplitude: float) -> np.ndarray:
    """Tidally stretched stars are faintest when seen end on, twice an orbit."""
    return amplitude / 2 * (1 + np.cos(4 * np.pi * phase))


def _oscillation(
    mjd: np.ndarray, period: float, damping_time: float, rng: np.random.Generator
) -> np.ndarray:
    """:func:`damped_oscillation` with the opposite sign of time, in which this survey was made."""
    return damped_oscillation(mjd, -period, damping_time, rng)


def _random_walk(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a quasar around its mean: a damped random walk (Kelly+ 2009)."""
    damping_time = np.exp(rng.uniform(np.log(60.0), np.log(800.0)))
    return rng.uniform(0.12, 0.4) * _oscillation(mjd, np.inf, damping_time, rng).real


def _quasi_periodic(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a spotted, rotating star around its mean."""
    rotation = np.exp(rng.uniform(np.log(4.0), np.log(60.0)))
    spots = _oscillation(mjd, rotation, rotation * rng.uniform(5, 25), rng).real
    second = _oscillation(mjd, rotation / 2, rotation * rng.uniform(3, 10), rng).real
    return rng.uniform(0.04, 0.15) * (spots + rng.uniform(0.1, 0.5) * second)


def _semiregular(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a semiregular red giant around its mean.

    Two damped periods; one star in three has a long secondary period too.
    """
    period = np.exp(rng.uniform(np.log(35.0), np.log(180.0)))
    main = _oscillation(mjd, period, period * rng.uniform(4, 15), rng).real
    other = _oscillation(
        mjd, period * rng.uniform(0.48, 0.58), period * rng.uniform(2, 8), rng
    ).real
    magnitudes = rng.uniform(0.06, 0.3) * (main + rng.uniform(0.2, 0.7) * other)
    if rng.random() < 0.33:
        long_phase = mjd / (period * rng.uniform(8, 11)) + rng.random()
        magnitudes = magnitudes + rng.uniform(0.1, 0.3) * np.cos(2 * np.pi * long_phase)
    return magnitudes


def _mira(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes of a Mira around its mean: large, slow, never twice the same."""
    period = float(np.clip(rng.normal(280, 80), 110, 520))
    amplitude = rng.uniform(2.0, 4.5)
    wander = _oscillation(mjd, np.inf, 4 * period, rng)
    phase = mjd / period + rng.random() + 0.03 * wander.real
    angle = 2 * np.pi * phase
    # The rise is faster than the decline, more so at long periods.
    asymmetry = np.clip(0.1 + 0.1 * (period - 200) / 200 + rng.normal(0, 0.04), 0, 0.3)
    cycle = np.cos(angle) + asymmetry * np.cos(2 * angle + 4.2)
    trend = 0.1 * amplitude * _oscillation(mjd, np.inf, 6 * period, rng).real
    return amplitude / 2 * cycle * (1 + 0.12 * np.tanh(wander.imag)) + trend


VARIABILITY: Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "Cep_0": _cepheid,
    "Const": lambda mjd, rng: np.zeros(len(mjd)),
    "DSCT": _delta_scuti,
    "EA": _detached,
    "EW": _contact,
    "Mira": _mira,
    "QSO": _random_walk,
    "ROT": _quasi_periodic,
    "RRab": _rr_lyrae_ab,
    "RRc": _rr_lyrae_c,
    "SR": _semiregular,
}
"""By class: magnitudes around (or, for eclipses, above) the mean at given times [days]."""


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
    from_full = (night - FULL_MOON + SYNODIC_MONTH / 2) % SYNODIC_MONTH - SYNODIC_MONTH / 2
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
    culmination = 0.25 - ((nights / YEAR + rng.random()) % 1 - 0.5) * 0.3
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


def observe(
    mag: np.ndarray, depth: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measures true magnitudes ``mag`` [n] in visits of the given ``depth`` [n].

    Returns:
        measured magnitudes float64 [n] and their reported errors float64 [n], both rounded to
        0.001 mag as catalogues are; and which visits gave a detection, bool [n].
    """
    error = expected_error(mag - (FIVE_SIGMA_LIMIT + depth), ERROR_FLOOR, sky=0.7)
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
