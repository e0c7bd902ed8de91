"""What a telescope makes of a star's true magnitude: errors, outliers and missed detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
