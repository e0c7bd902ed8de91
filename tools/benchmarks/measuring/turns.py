"""Several ways to do the same work, taking turns, so that a busy machine slows all of them."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Way = Callable[[], float]
"""Does the work once and tells how much that was, in windows or another unit."""


@dataclass(frozen=True)
class Turn:
    """One turn of a way.

    Attributes:
        work: in windows or another unit.
        wall: seconds by the clock.
        processor: seconds of all processors together.
        peak: highest resident size of the process so far [bytes].
    """

    work: float
    wall: float
    processor: float
    peak: int


@dataclass(frozen=True)
class Speed:
    """Units of work per second in each counted turn.

    Attributes:
        wall: per second of the clock.
        processor: per second of all processors together, which says more on a shared machine.
    """

    wall: tuple[float, ...]
    processor: tuple[float, ...]

    def over(self, other: Speed) -> tuple[float, float]:
        """Median ratios to another way's speed in the same turns: wall, processor."""
        return _ratio(self.wall, other.wall), _ratio(self.processor, other.processor)

    @property
    def median(self) -> float:
        return statistics.median(self.wall)

    @property
    def processor_median(self) -> float:
        return statistics.median(self.processor)


def take_turn(way: Way) -> Turn:
    """Takes the way once, in this process."""
    started, used = time.perf_counter(), time.process_time()
    work = way()
    wall, processor = time.perf_counter() - started, time.process_time() - used
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Turn(work, max(wall, 1e-9), max(processor, 1e-9), peak)


def take_turns(ways: Mapping[str, Callable[[], Turn]], rounds: int) -> dict[str, Speed]:
    """The speed of each way over ``rounds`` turns, after one that warms up and does not count."""
    taken: dict[str, list[Turn]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, turn in ways.items():
            taken[name].append(turn())
    return {
        name: Speed(
            tuple(turn.work / turn.wall for turn in turns[1:]),
            tuple(turn.work / turn.processor for turn in turns[1:]),
        )
        for name, turns in taken.items()
    }


def _ratio(ours: tuple[float, ...], theirs: tuple[float, ...]) -> float:
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
