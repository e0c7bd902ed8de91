"""Whole light curves on their way from a survey to the records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Chunk:
    """Whole light curves, observations as in the survey.

    Attributes:
        rows: int64 [C], metadata row of each curve.
        lengths: int64 [C], observations of each curve.
        mjd: float64 [sum(lengths)], days, in the survey's time system.
        mag: float32 or float64 [sum(lengths)], magnitudes or fluxes.
        errmag: float32 or float64 [sum(lengths)], their errors.
    """

    rows: np.ndarray
    lengths: np.ndarray
    mjd: np.ndarray
    mag: np.ndarray
    errmag: np.ndarray

    def only(self, kept: np.ndarray) -> Chunk:
        """The curves that are True in ``kept``, bool [C]."""
        if kept.all():
            return self
        observations = np.repeat(kept, self.lengths)
        return Chunk(
            self.rows[kept],
            self.lengths[kept],
            self.mjd[observations],
            self.mag[observations],
            self.errmag[observations],
        )
