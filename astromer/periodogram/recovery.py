"""How often a periodogram finds the period that a catalogue knows.

Period finders err by multiples of the period and by the rhythm of the nights more than at random
(Graham et al. 2013, MNRAS 434, 3423, arXiv 1307.2209): such periods are counted apart.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

TOLERANCE = 0.01
"""Relative difference of two periods that count as one."""
_FACTORS = (0.5, 2.0)
_DAYS = (1.0, 1.00273790935)
"""Frequencies [1/day] of the nights, in solar and in sidereal days."""


@dataclass(frozen=True)
class PeriodRecovery:
    """Fractions, 0 to 1, of the stars whose known period is found.

    A period is *related* to the known one where it is the same, its half or its double, or where
    its frequency is an alias: one cycle a day (solar or sidereal) more or less. Each to within 1 %
    of the known period.

    Attributes:
        stars: those with a known period.
        candidates: frequencies found for each star, at most.
        exact_first, exact_any: the known period itself, by the best frequency and by any.
        related_first, related_any: a period related to it.
    """

    stars: int
    candidates: int
    exact_first: float
    exact_any: float
    related_first: float
    related_any: float

    def to_dict(self) -> dict[str, int | float]:
        """Plain JSON types."""
        return dataclasses.asdict(self)

    def summary(self) -> str:
        """One line of words."""
        return (
            f"of {self.stars:,} known periods {self.exact_first:.1%} were found within "
            f"{TOLERANCE:.0%}, {self.related_first:.1%} up to a factor of 2 or one alias (among "
            f"{self.candidates} frequencies: {self.exact_any:.1%} and {self.related_any:.1%})"
        )


def period_recovery(frequencies: np.ndarray, periods: np.ndarray) -> PeriodRecovery | None:
    """Compares found frequencies with known periods.

    Args:
        frequencies: float64 [n, m], found in each light curve [1/day], the best first; 0 or NaN
            where there are fewer.
        periods: float64 [n], known periods [days]; NaN where unknown.

    Returns:
        None where no period is known.

    Raises:
        ValueError: they are not of the same stars.
    """
    if frequencies.ndim != 2 or periods.shape != frequencies.shape[:1] or not frequencies.shape[1]:
        raise ValueError(
            "frequencies must be [n, m] and periods [n]. Received: "
            f"{list(frequencies.shape)} and {list(periods.shape)}."
        )
    known = np.isfinite(periods) & (periods > 0)
    if not known.any():
        return None
    found, period = frequencies[known], periods[known, None]
    found = np.where(np.isfinite(found), found, 0)
    exact = _agree(found, period)
    related = exact.copy()
    for factor in _FACTORS:
        related |= _agree(found * factor, period)
    for day in _DAYS:
        related |= _agree(found + day, period) | _agree(np.abs(found - day), period)
    related &= found > 0  # no frequency has no alias
    return PeriodRecovery(
        stars=int(known.sum()),
        candidates=found.shape[1],
        exact_first=float(exact[:, 0].mean()),
        exact_any=float(exact.any(axis=1).mean()),
        related_first=float(related[:, 0].mean()),
        related_any=float(related.any(axis=1).mean()),
    )


def _agree(frequencies: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """bool, where the period 1 / f differs from the known one by 1 % of it at most."""
    cycles = frequencies * periods  # the known period over the found one
    agree: np.ndarray = np.abs(1 - cycles) <= TOLERANCE * cycles
    return agree
