"""Which trials a campaign has: the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from tools.faults.fault import Fault
from tools.faults.kinds import KINDS
from tools.faults.profile import Profile


@dataclass(frozen=True)
class Planned:
    """A trial that is to be run.

    Attributes:
        kind: of the fault.
        number: among those of its kind, from 0.
        stage: that it is aimed at.
    """

    kind: str
    number: int
    stage: str

    @property
    def name(self) -> str:
        """By which its record is known."""
        return f"{self.kind}-{self.number}"

    def draw(self, seed: int, profile: Profile) -> Fault:
        """The fault; whatever is random in it depends on seed, kind and number alone."""
        rng = Random(f"{seed} {self.kind} {self.number}")
        return KINDS[self.kind].draw(self.stage, profile, rng)


def plan(trials: Mapping[str, int]) -> list[Planned]:
    """The trials in their order: kinds mixed, and each going through its stages in turn.

    Args:
        trials: how many of each kind.
    """
    planned = [
        Planned(kind, number, KINDS[kind].stages[number % len(KINDS[kind].stages)])
        for kind, count in trials.items()
        for number in range(count)
    ]
    return sorted(planned, key=lambda one: (one.number / trials[one.kind], one.kind, one.number))
