"""Several ways to do the same work, taking turns, so that a busy machine slows all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Way = Callable[[], float]
"""Does the work once and tells how much that was, in windows or another unit."""


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


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def take_turns(ways: Mapping[str, Way], rounds: int) -> dict[str, Speed]:
    """The speed of each way over ``rounds`` turns, after one that warms up and does not count."""
    wall: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            started, used = time.perf_counter(), time.process_time()
            work = way()
            seconds, used = time.perf_counter() - started, time.process_time() - used
            if turn:
                wall[name].append(work / max(seconds, 1e-9))
                processor[name].append(work / max(used, 1e-9))
    return {name: Speed(tuple(wall[name]), tuple(processor[name])) for name in ways}


def _ratio(ours: tuple[float, ...], theirs: tuple[float, ...]) -> float:
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
