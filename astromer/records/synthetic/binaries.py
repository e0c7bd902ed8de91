"""Eclipsing binaries, tidally stretched stars and planets in transit.

Eclipses come from geometry: discs of two radii and brightnesses on a Kepler orbit, the fraction of
a disc that the other one hides, and linear limb darkening of the star behind by the approximation
for small bodies (Mandel & Agol 2002, ApJ 580, L171, section 5), which fades out as the bodies grow
equal. So totality is flat, grazing eclipses are pointed, and depths have the ratio of the surface
brightnesses. The period is that of the orbit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astromer.records.synthetic.processes import (
    Signal,
    log_normal,
    log_uniform,
    normal_within,
    wander,
)

_KEPLER_STEPS = 5


@dataclass(frozen=True)
class Orbit:
    """A Kepler orbit.

    Attributes:
        period: days.
        eccentricity: 0 to 1.
        periastron: argument of the periastron [rad].
        cos_inclination: 0 seen edge on.
    """

    period: float
    eccentricity: float
    periastron: float
    cos_inclination: float


@dataclass(frozen=True)
class Stars:
    """Two discs.

    Attributes:
        radius, other_radius: over the semi-major axis.
        brightness: of the other one's surface, over the first one's.
        limb_darkening: linear coefficient.
    """

    radius: float
    other_radius: float
    brightness: float
    limb_darkening: float


def light(phase: np.ndarray, orbit: Orbit, stars: Stars) -> np.ndarray:
    """float64 [n], flux at orbital phases [cycles]; 1 outside eclipses.

    At phase 0 of a circular orbit the other body is in front of the first.
    """
    angle, distance = _position(phase, orbit)
    # Line of sight and sky: the other body is in front where this is positive.
    towards = np.sin(angle)
    sin_i_squared = 1 - orbit.cos_inclination**2
    apart = distance * np.sqrt(1 - sin_i_squared * towards**2)
    a, b = stars.radius, stars.other_radius
    first, second = a**2, b**2 * stars.brightness
    flux = np.ones(len(phase))
    eclipsed = np.flatnonzero(apart < a + b)
    if not len(eclipsed):
        return flux
    apart, in_front = apart[eclipsed], towards[eclipsed] > 0
    hidden = _overlap(apart, a, b)
    darkening = np.where(
        in_front,
        _limb(apart / a, b / a, stars.limb_darkening),
        _limb(apart / b, a / b, stars.limb_darkening),
    )
    lost = hidden * darkening * np.where(in_front, 1.0, stars.brightness) / (first + second)
    flux[eclipsed] = np.maximum(1 - lost, 1e-3)
    return flux


def _position(phase: np.ndarray, orbit: Orbit) -> tuple[np.ndarray, np.ndarray]:
    """Angle from the node, float64 [n], and distance over the semi-major axis."""
    mean = 2 * np.pi * phase
    e = orbit.eccentricity
    if e == 0:
        return mean + np.pi / 2, np.ones(len(phase))
    mean = mean + _mean_anomaly(np.pi / 2 - orbit.periastron, e)
    anomaly = mean + e * np.sin(mean)
    for _ in range(_KEPLER_STEPS):
        sine, cosine = np.sin(anomaly), np.cos(anomaly)
        anomaly -= (anomaly - e * sine - mean) / (1 - e * cosine)
    sine, cosine = np.sin(anomaly), np.cos(anomaly)
    true = np.arctan2(np.sqrt(1 - e**2) * sine, cosine - e)
    return true + orbit.periastron, 1 - e * cosine


def _mean_anomaly(true: float, eccentricity: float) -> float:
    anomaly = 2 * np.arctan(np.sqrt((1 - eccentricity) / (1 + eccentricity)) * np.tan(true / 2))
    return float(anomaly - eccentricity * np.sin(anomaly))


def _overlap(apart: np.ndarray, a: float, b: float) -> np.ndarray:
    """float64 [n], area common to two circles, over pi."""
    d = np.maximum(apart, abs(a - b) + 1e-9)
    x = (d**2 + a**2 - b**2) / (2 * d)
    half_chord = np.sqrt(np.maximum(a**2 - x**2, 0))
    sectors = a**2 * np.arctan2(half_chord, x) + b**2 * np.arctan2(half_chord, d - x)
    return (sectors - half_chord * d) / np.pi


def _limb(distance: np.ndarray, ratio: float, u: float) -> np.ndarray:
    """float64 [n], brightness of a disc where a smaller one stands, over its mean."""
    if ratio >= 1:
        return np.ones(len(distance))
    mu = np.sqrt(np.maximum(1 - distance**2, 0))
    return 1 + (1 - ratio) * ((1 - u * (1 - mu)) / (1 - u / 3) - 1)


def _stretched(phase: np.ndarray, amplitude: float, reflected: float) -> np.ndarray:
    """float64 [n] mag: faintest end on, twice an orbit, and the reflection of the brighter star."""
    angle = 2 * np.pi * phase
    return 0.5 * amplitude * np.cos(2 * angle) + 0.5 * reflected * np.cos(angle)


def detached(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """EA binaries: detached pairs on circular and eccentric orbits, and Algols.

    Periods and eccentricities: Raghavan et al. (2010, ApJS 190, 1), Prsa et al. (2011, AJ 141, 83);
    Algols, whose cool secondary fills its Roche lobe: Budding et al. (2004, A&A 417, 263).
    """
    if rng.random() < 0.4:
        return _algol(mjd, rng)
    period = log_normal(3.0, 0.45, rng)
    period = min(max(period, 0.45), 150.0)
    # Kepler's third law for stars of about a solar mass; evolved stars are larger.
    radius = 0.2 * period ** (-2 / 3) * log_uniform(0.75, 2.2, rng)
    radius = min(radius, 0.3)
    other = radius * rng.uniform(0.35, 1.0)
    brightness = 1.0 if rng.random() < 0.15 else rng.uniform(0.05, 1.05)
    eccentricity = 0.0
    if period > 3 and rng.random() < 0.75:
        eccentricity = 0.7 * rng.beta(1.1, 2.5) * min(1.0, period / 10 + 0.2)
        eccentricity = min(eccentricity, 1 - 1.3 * (radius + other))
    orbit = Orbit(
        period,
        eccentricity,
        2 * np.pi * rng.random(),
        rng.random() * 0.75 * (radius + other),
    )
    phase = mjd / period + rng.random()
    stars = Stars(radius, other, brightness, rng.uniform(0.3, 0.7))
    magnitudes = -2.5 * np.log10(light(phase, orbit, stars))
    return magnitudes + _stretched(phase, 2 * radius**3, rng.uniform(0, 0.5) * radius**2), period


def _algol(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    period = min(max(log_normal(2.5, 0.28, rng), 0.6), 30.0)
    filling = _roche_lobe(rng.uniform(0.12, 0.5))
    radius = rng.uniform(0.07, 0.27)
    stars = Stars(radius, filling, log_uniform(0.02, 0.35, rng), rng.uniform(0.3, 0.6))
    # Most that are known have deep eclipses: inclinations near 90 degrees.
    orbit = Orbit(period, 0.0, 0.0, rng.random() * 0.7 * (radius + filling))
    phase = mjd / period + rng.random()
    share = stars.brightness * filling**2 / (radius**2 + stars.brightness * filling**2)
    magnitudes = -2.5 * np.log10(light(phase, orbit, stars))
    return magnitudes + _stretched(phase, 5 * filling**3 * share, 0.25 * filling**2), period


def _roche_lobe(mass_ratio: float) -> float:
    """Radius of the lobe over the distance (Eggleton 1983, ApJ 268, 368)."""
    q = mass_ratio ** (2 / 3)
    return float(0.49 * q / (0.6 * q + np.log(1 + mass_ratio ** (1 / 3))))


def semidetached(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """EB binaries (beta Lyrae): close, stretched stars of unlike surface brightness.

    Paczynski et al. (2006, MNRAS 368, 1311). The curve between the eclipses is never flat.
    """
    period = min(max(log_normal(0.85, 0.3, rng), 0.32), 15.0)
    mass_ratio = rng.uniform(0.25, 0.9)
    radius = _roche_lobe(1 / mass_ratio) * rng.uniform(0.7, 1.0)
    other = _roche_lobe(mass_ratio) * rng.uniform(0.8, 1.0)
    stars = Stars(radius, other, rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.7))
    orbit = Orbit(period, 0.0, 0.0, rng.uniform(0.02, 0.6))
    phase = mjd / period + rng.random()
    magnitudes = -2.5 * np.log10(light(phase, orbit, stars))
    edge_on = 1 - orbit.cos_inclination**2
    stretch = 2.2 * (radius**3 * mass_ratio + 0.5 * other**3 / mass_ratio) * edge_on
    magnitudes += _stretched(phase, stretch, rng.uniform(0.0, 0.08))
    return magnitudes + _oconnell(mjd, phase, 0.01, rng), period


def contact(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """EW binaries (W Ursae Majoris): in contact, minima nearly equal.

    Cosine coefficients a2 and a4 along the line of contact (Rucinski 1993, PASP 105, 1433; 1997, AJ
    113, 407); periods: Rucinski (2007, MNRAS 382, 393); one minimum is flat where unequal
    stars are seen edge on. Spots make one maximum brighter and change over years.
    """
    period = min(max(log_normal(0.36, 0.09, rng), 0.21), 1.0)
    if rng.random() < 0.15:
        period *= rng.uniform(1.0, 2.2)
    phase = mjd / period + rng.random()
    a2 = min(0.03 + rng.gamma(2.6, 0.055), 0.34)
    # Larger ones than a quarter of a2 would hollow the maxima.
    a4 = a2 * min((0.125 + a2) * rng.uniform(0.55, 1.0), 0.25)
    difference = 0.5 * a2 * abs(rng.normal(0, 0.12))
    angle = 2 * np.pi * phase
    twice = np.cos(2 * angle)
    flux = 1 - a2 * twice - a4 * (2 * twice**2 - 1) - difference * np.cos(angle)
    if a2 > 0.12 and rng.random() < 0.4:
        bottom = 1 - a2 - a4 + rng.uniform(0.08, 0.25) * a2
        flat = 0.5 * (flux + bottom + np.sqrt((flux - bottom) ** 2 + 1e-4))
        side = 1 if rng.random() < 0.5 else -1
        flux = np.where(side * np.cos(angle) > 0, flat, flux)
    return -2.5 * np.log10(flux) + _oconnell(mjd, phase, 0.012, rng), period


def _oconnell(
    mjd: np.ndarray, phase: np.ndarray, size: float, rng: np.random.Generator
) -> np.ndarray:
    """Spots: unequal maxima (O'Connell 1951, Riverview Publ. 2, 85), which change over years."""
    strength = size * (rng.standard_normal() + 0.5 * wander(mjd, 600.0, rng))
    return strength * np.sin(2 * np.pi * phase)


def ellipsoidal(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Stretched stars without eclipses; one in ten an eccentric "heartbeat" star.

    Morris (1985, ApJ 295, 143), Soszynski et al. (2004, AcA 54, 347; red giants of months); tides
    of eccentric orbits: Kumar, Ao & Quataert (1995, ApJ 449, 294).
    """
    if rng.random() < 0.1:
        return _heartbeat(mjd, rng)
    red_giant = rng.random() < 0.3
    period = log_uniform(30, 500, rng) if red_giant else log_uniform(0.25, 10, rng)
    amplitude = log_uniform(0.01, 0.25, rng)
    phase = mjd / period + rng.random()
    magnitudes = _stretched(phase, amplitude, amplitude * rng.normal(0, 0.12))
    return magnitudes + _oconnell(mjd, phase, 0.05 * amplitude, rng), period


def _heartbeat(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    period = log_uniform(2, 60, rng)
    tilt, periastron = rng.uniform(0.3, 1.4), 2 * np.pi * rng.random()
    orbit = Orbit(period, rng.uniform(0.2, 0.6), periastron, 0.0)
    angle, distance = _position(mjd / period + rng.random(), orbit)
    tide = (1 - 3 * np.sin(tilt) ** 2 * np.cos(angle - np.pi / 2) ** 2) / distance**3
    return log_uniform(0.005, 0.08, rng) * tide / float(np.ptp(tide) + 1e-9), period


def transiting_planet(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Planets in transit: Jupiters, Neptunes and some smaller ones, half an hour to half a day.

    Kepler's third law for the star; limb darkening and contacts as Mandel & Agol (2002); radii and
    periods: Howard et al. (2012, ApJS 201, 15), weighted to what can be seen.
    """
    period = log_uniform(0.8, 15.0, rng)
    radius = 0.2375 * period ** (-2 / 3) * normal_within(1.05, 0.2, 0.6, 1.8, rng)
    radius = min(radius, 0.35)
    planet = radius * log_uniform(0.03, 0.16, rng)
    impact = rng.uniform(0, 0.9) * radius
    stars = Stars(radius, planet, 0.0, rng.uniform(0.3, 0.7))
    phase = mjd / period + rng.random()
    return -2.5 * np.log10(light(phase, Orbit(period, 0.0, 0.0, impact), stars)), period
