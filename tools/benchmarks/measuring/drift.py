"""Does something grow while it goes on? The slope of a series of measurements, and its doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

_BLOCKS = 12
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Drift:
    """The change of a quantity per unit of time, or per run.

    Attributes:
        first, last: medians of the first and the last of the blocks.
        slope: change per unit, Theil and Sen's: the median of the slopes of all pairs.
        low, high: its 95 % interval (Sen 1968).
    """

    first: float
    last: float
    slope: float
    low: float
    high: float

    @property
    def is_flat(self) -> bool:
        """Whether the slope cannot be told from zero."""
        return self.low <= 0 <= self.high


def drift(at: Sequence[float], values: Sequence[float], blocks: int = _BLOCKS) -> Drift:
    """The slope through medians of blocks of consecutive measurements.

    Neighbours in such a series resemble each other, and would make a slope look surer than it is;
    medians of long blocks hardly do.

    Args:
        at: [n] when, or the number of the run; ascending.
        values: [n].
        blocks: how many; ``n`` of them where the measurements are independent, as those of runs.

    Raises:
        ValueError: there are fewer measurements than blocks, or fewer than three blocks.
    """
    if not 3 <= blocks <= len(values):
        raise ValueError(
            f"A slope needs at least as many measurements as blocks, and 3 blocks. Received: "
            f"{len(values)} measurements, {blocks} blocks."
        )
    when = [float(np.median(part)) for part in np.array_split(np.asarray(at, float), blocks)]
    what = [float(np.median(part)) for part in np.array_split(np.asarray(values, float), blocks)]
    slope, _, low, high = theilslopes(what, when, _CONFIDENCE)
    ends = max(blocks // _BLOCKS, 1)
    first, last = float(np.median(what[:ends])), float(np.median(what[-ends:]))
    return Drift(first, last, float(slope), float(low), float(high))


HEAD = f"{'':28}{'first':>10}{'last':>10}{'slope':>11}{'95 % interval':>24}  verdict"


def line(name: str, found: Drift) -> str:
    """A row below :data:`HEAD`."""
    interval = f"{found.low:+.4g} to {found.high:+.4g}"
    told = "flat" if found.is_flat else "grows" if found.slope > 0 else "shrinks"
    ends = f"{found.first:10,.1f}{found.last:10,.1f}"
    return f"{name:28}{ends}{found.slope:+11.4g}{interval:>24}  {told}"
