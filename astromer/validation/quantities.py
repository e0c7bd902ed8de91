"""What a profile counts, and in which bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 280


@dataclass(frozen=True)
class Quantity:
    """A quantity that is counted in ``BINS`` bins of equal width, or of equal ratio.

    Attributes:
        name: as in profiles.
        title: what it is, for people.
        unit: "" for a count.
        low, high: outer edges of the bins.
        log: the bins have equal ratios.
        of_curves: one value for each light curve, not for each observation.
    """

    name: str
    title: str
    unit: str
    low: float
    high: float
    log: bool
    of_curves: bool

    @property
    def edges(self) -> np.ndarray:
        """float64 [BINS + 1]."""
        if self.log:
            return np.geomspace(self.low, self.high, BINS + 1)
        return np.linspace(self.low, self.high, BINS + 1)

    def bins_of(self, values: np.ndarray) -> np.ndarray:
        """int64, 0 for values below ``low``, 1 to BINS, BINS + 1 from ``high`` on.

        NaN counts as below, as do values that have no logarithm.
        """
        low, high = self.low, self.high
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.log:
                values, low, high = np.log(values), np.log(low), np.log(high)
            scaled = (values - low) * (BINS / (high - low))
        return np.clip(np.floor(np.nan_to_num(scaled, nan=-1.0)), -1, BINS).astype(np.int64) + 1


QUANTITIES = (
    Quantity("length", "observations per light curve", "", 1.0, 1e5, True, True),
    Quantity("cadence", "median time between observations", "days", 1e-5, 1e4, True, True),
    Quantity("mag", "magnitude", "mag", -30.0, 40.0, False, False),
    Quantity("errmag", "magnitude error", "mag", 1e-5, 10.0, True, False),
    Quantity("time_span", "time span of a light curve", "days", 1e-3, 1e5, True, True),
    Quantity("mjd", "time of observation", "MJD", 10000.0, 80000.0, False, False),
)
