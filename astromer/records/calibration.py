"""What the numbers of a survey mean: magnitudes or fluxes, and which time system."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

JD_TO_MJD = -2400000.5
"""To be added to a Julian date [days]."""
SENTINEL = 9.0
"""Errors [mag] of this size, such as 9.999, 99.999 or -99, stand for "not known"."""
_ERRMAG_PER_FLUX_RATIO = 2.5 / np.log(10)
_JD = (2_400_000.5, 2_600_000.5)
"""MJD 0 to 200000 as Julian dates."""


@dataclass(frozen=True)
class Calibration:
    """How the values of a survey become MJD and magnitudes.

    Attributes:
        zero_point: magnitude of a flux of 1, where the survey has fluxes; None where it has
            magnitudes.
        time_offset: days to add to its times.
    """

    zero_point: float | None = None
    time_offset: float = 0.0

    def times(self, values: np.ndarray) -> np.ndarray:
        """float64, MJD [days]."""
        return values + self.time_offset if self.time_offset else values

    def magnitudes(
        self, values: np.ndarray, errors: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Magnitudes, their errors and where a flux has no magnitude.

        ``mag = zero_point - 2.5 log10(flux)``, ``errmag = 2.5 / ln(10) * error / flux``, in
        float64 before they become float32. An error of :data:`SENTINEL` magnitudes or more
        becomes NaN.

        Args:
            values, errors: magnitudes or fluxes [n] with their errors; NaN where missing.

        Returns:
            mag float32 [n], errmag float32 [n], bool [n] True for fluxes that are not
            positive; their magnitude is NaN.
        """
        if self.zero_point is None:
            with np.errstate(over="ignore", invalid="ignore"):
                mag, errmag = (
                    values.astype(np.float32, copy=False),
                    errors.astype(np.float32, copy=False),
                )
                missing = np.abs(errmag) >= SENTINEL
            errmag = np.where(missing, np.float32(np.nan), errmag) if missing.any() else errmag
            return mag, errmag, np.zeros(len(values), bool)
        flux = values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            negative = flux <= 0
        flux = np.where(negative, np.nan, flux)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            mag = (self.zero_point - 2.5 * np.log10(flux)).astype(np.float32)
            errmag = (_ERRMAG_PER_FLUX_RATIO * errors.astype(np.float64) / flux).astype(np.float32)
        return mag, errmag, negative


def count_julian_dates(times: np.ndarray) -> int:
    """How many times look like Julian dates."""
    with np.errstate(invalid="ignore"):
        return int(((times >= _JD[0]) & (times <= _JD[1])).sum())
