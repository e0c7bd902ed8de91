"""Eclipsing binaries, with the phenomenological profile of Mikulasek (2015, A&A 584, A8)."""

from __future__ import annotations

import numpy as np


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


def detached(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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


def contact(mjd: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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
