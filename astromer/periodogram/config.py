"""Where periods are searched."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.system.config import Config, knob


@dataclass(frozen=True)
class PeriodogramConfig(Config):
    """The grid of frequencies of a periodogram."""

    max_frequency: float = knob(
        10.0,
        "highest frequency [1/day]; 10 holds delta Scuti stars, and costs in proportion; of a grid "
        "of more than 2,097,152 frequencies the highest are left out",
        bounds="(0, inf)",
    )
    oversampling: int = knob(
        4,
        "grid points for each frequency that the time span resolves; at 4 a peak between two of "
        "them loses 5 % of its height",
        bounds="[1, inf)",
    )
