"""What erupts, explodes or passes in front: cataclysmic variables, supernovae, microlensing.

Novae and supernovae are magnitudes below their peak, which lies within the observed years; the
rest are changes of a quiescent magnitude, as everywhere else.
"""

from __future__ import annotations

import numpy as np

from astromer.records.synthetic.processes import (
    NO_PERIOD,
    Signal,
    damped_oscillation,
    damped_walk,
    event_times,
    log_normal,
    log_uniform,
    normal_within,
    since_events,
    wander,
)

_UNSEEN = 15.0
"""Magnitudes below the peak of what has not exploded yet."""


def dwarf_nova(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Dwarf novae (U Geminorum, SU Ursae Majoris with superoutbursts), flickering in quiescence.

    Recurrence, amplitudes and durations: Coppejans et al. (2016, MNRAS 456, 4441), Otulakowska-
    Hypka et al. (2016, MNRAS 460, 2526); the rate of decline: Bailey (1975, JBAA 86, 30).
    """
    interval = log_uniform(12, 400, rng)
    amplitude = normal_within(1.6 + 1.1 * np.log10(interval), 0.8, 1.5, 7.0, rng)
    starts = event_times(mjd, interval, 4.0, 60.0, rng)
    number = len(starts)
    duration = rng.uniform(1.5, 6) * np.exp(0.3 * rng.standard_normal(number))
    height = amplitude * np.clip(1 + 0.12 * rng.standard_normal(number), 0.5, 1.4)
    if rng.random() < 0.45:  # superoutbursts
        every = int(rng.integers(2, 9))
        superoutburst = (np.arange(number) + int(rng.integers(every))) % every == 0
        duration = np.where(superoutburst, rng.uniform(10, 16), duration)
        height = np.where(superoutburst, height + 0.7, height)
    event, elapsed = since_events(mjd, starts)
    rising = elapsed / rng.uniform(0.5, 2.5)
    after = (elapsed - duration[event]) / rng.uniform(1.2, 3.5)
    fading = 1 - np.maximum(after, 0) / height[event]
    plateau = 1 - 0.012 * np.maximum(elapsed, 0)
    level = np.clip(np.minimum(np.minimum(rising, plateau), fading), 0, 1)
    flicker = rng.uniform(0.04, 0.2) * damped_walk(mjd, log_uniform(0.02, 2.0, rng), rng)
    return (1 - 0.7 * level) * flicker - height[event] * level, NO_PERIOD


def polar(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Magnetic and nova-like cataclysmic variables: high and low states, orbits of hours.

    Warner (1995, Cataclysmic Variable Stars, Cambridge), Kafka & Honeycutt (2005, AJ 130, 742).
    """
    period = min(max(log_normal(0.1, 0.17, rng), 0.055), 0.35)
    orbit = rng.uniform(0.1, 0.7) * np.cos(2 * np.pi * (mjd / period + rng.random()))
    orbit += 0.3 * orbit**2
    states = np.tanh(2 * wander(mjd, log_uniform(60, 800, rng), rng) + rng.normal(0, 1.5))
    flicker = rng.uniform(0.05, 0.2) * damped_walk(mjd, 0.03, rng)
    return 0.5 * log_uniform(0.2, 3.0, rng) * states + orbit + flicker, period


def nova(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Classical novae, by the time in which they fade by 2 mag: smooth, dusty or oscillating.

    Strope, Schaefer & Henden (2010, AJ 140, 34); power laws of the free-free light: Hachisu & Kato
    (2006, ApJS 167, 59).
    """
    peak = _peak_time(mjd, rng)
    t2 = min(max(log_normal(22, 0.4, rng), 2.0), 250.0)
    elapsed = mjd - peak
    # The flux falls as t**-1.75; the scale makes it lose 2 mag in t2.
    scale = t2 / (10 ** (2 / (2.5 * 1.75)) - 1)
    fall = 2.5 * 1.75 * np.log10(1 + np.maximum(elapsed, 0) / scale)
    late = 6 * t2
    fall += 2.5 * 1.75 * np.log10(1 + (np.maximum(elapsed, 0) / late) ** 4) / 4
    kind = rng.random()
    if kind < 0.2:  # a dip while dust condenses
        dip = np.log(np.maximum(elapsed, 0.1) / (3.5 * t2)) / 0.35
        fall += rng.uniform(1.5, 6) * np.exp(-0.5 * dip**2)
    elif kind < 0.45:
        fading = np.exp(-np.maximum(elapsed, 0) / (4 * t2))
        period = max(0.15 * t2, 1.0)
        fall += 0.35 * fading * damped_oscillation(mjd, period, 3 * period, rng).real
    rise = np.where(elapsed < 0, -elapsed * rng.uniform(2.0, 5.0), 0)
    quiescent = rng.uniform(7.5, 13)
    return np.minimum(fall + rise, quiescent), NO_PERIOD


_IA_DAYS = np.array([-18.0, -17, -15, -12, -9, -6, -3, 0, 4, 8, 12, 16, 22, 28, 35, 50, 80, 150])
_IA_MAGNITUDES = np.array(
    [7.0, 4.4, 2.5, 1.3, 0.62, 0.25, 0.06, 0, 0.08, 0.28, 0.52, 0.76, 1.1, 1.5, 1.9, 2.4, 3.1, 4.8]
)
"""A normal supernova Ia near V, rounded (Hamuy et al. 1996, AJ 112, 2438)."""


def supernova_ia(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Type Ia supernovae: one template, stretched, between V and r with its shoulder.

    Template and stretch: Hamuy et al. (1996, AJ 112, 2438), Goldhaber et al. (2001, ApJ 558, 359).
    """
    stretch = normal_within(0.98, 0.1, 0.65, 1.25, rng)
    age = _age(mjd, rng) / stretch
    shoulder = rng.uniform(0, 0.45) * np.exp(-0.5 * ((age - 24) / 6) ** 2)
    fall = np.interp(age, _IA_DAYS, _IA_MAGNITUDES, left=_UNSEEN)
    fall += 0.016 * np.maximum(age - 150, 0)
    return _in_host(fall - shoulder, rng), NO_PERIOD


def supernova_ii(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Type II supernovae: plateaus (P), straight declines (L) and slow ones in dense winds (n).

    Slopes and lengths of plateaus: Anderson et al. (2014, ApJ 786, 67); IIn: Nyholm et al. (2020,
    A&A 637, A73). Cobalt decays by 0.98 mag in 100 days.
    """
    age = _age(mjd, rng)
    if rng.random() < 0.15:
        rise, fade = rng.uniform(12, 50), rng.uniform(40, 220)
        fall = np.where(age < 0, 2.5 * (age / rise) ** 2, 1.086 * np.maximum(age, 0) / fade)
        return _in_host(fall, rng), NO_PERIOD
    rise = rng.uniform(5, 14)
    slope = log_uniform(0.002, 0.03, rng)
    length = normal_within(85, 20, 35, 130, rng) - 600 * max(slope - 0.015, 0)
    after = np.maximum(age, 0)
    early = slope * after + rng.uniform(0, 0.4) * (1 - np.exp(-after / 15))
    drop = rng.uniform(1.0, 2.4) * np.exp(-np.logaddexp(0, (length - age) / rng.uniform(3, 8)))
    tail = (0.0098 - slope) * np.maximum(age - length, 0)
    before = np.where(age < 0, 4.0 * (age / rise) ** 2, 0)
    return _in_host(early + drop + tail + before, rng), NO_PERIOD


def supernova_ibc(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """Stripped-envelope supernovae (Ib, Ic), and rare superluminous ones as slow as months.

    Drout et al. (2011, ApJ 741, 97), Taddia et al. (2018, A&A 609, A136); Inserra et al. (2013, ApJ
    770, 128). The profile is that of Bazin et al. (2009, A&A 499, 653), with a radioactive tail.
    """
    scale = rng.uniform(2.0, 4.0) if rng.random() < 0.12 else rng.uniform(0.7, 1.3)
    age = _age(mjd, rng) / scale
    rise, fade = rng.uniform(3.5, 6.5), rng.uniform(14, 24)
    profile = np.exp(-age / fade - np.logaddexp(0, -age / rise))
    # The maximum of the profile, at rise * log(fade / rise - 1) after the inflection.
    at_peak = (fade / rise - 1) ** (-rise / fade) * (1 - rise / fade)
    tail = rng.uniform(0.05, 0.14) * 10 ** (-0.4 * 0.014 * np.maximum(age, 0)) * (age > 0)
    fall = -2.5 * np.log10(np.maximum((profile / at_peak + tail), 1e-6))
    return _in_host(fall, rng), NO_PERIOD


def _peak_time(mjd: np.ndarray, rng: np.random.Generator) -> float:
    """Some days before or after one of the observations, so that part of the event is seen."""
    return float(mjd[int(rng.integers(len(mjd)))] + rng.uniform(-15, 25))


def _age(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], days since the peak in the object's own time."""
    redshift = rng.gamma(2.0, 0.04)
    return (mjd - _peak_time(mjd, rng)) / (1 + redshift)


def _in_host(fall: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """float64 [n], magnitudes below the peak, mostly with the host galaxy in the aperture."""
    host = rng.uniform(-0.5, 4.0) if rng.random() < 0.7 else _UNSEEN
    return -2.5 * np.log10(10 ** (-0.4 * np.minimum(fall, 30.0)) + 10 ** (-0.4 * host))


def microlensing(mjd: np.ndarray, rng: np.random.Generator) -> Signal:
    """A star magnified by another that passes in front, partly with the lens's own light.

    Paczynski (1986, ApJ 304, 1); time scales: Mroz et al. (2019, ApJS 244, 29).
    """
    einstein_time = min(max(log_normal(24, 0.35, rng), 2.0), 300.0)
    peak = _peak_time(mjd, rng)
    closest = max(rng.uniform(0, 1.0), 0.005)
    u = np.hypot(closest, (mjd - peak) / einstein_time)
    magnified = (u**2 + 2) / (u * np.sqrt(u**2 + 4))
    source = rng.uniform(0.3, 1.0) if rng.random() < 0.5 else 1.0
    return -2.5 * np.log10(source * magnified + 1 - source), NO_PERIOD
