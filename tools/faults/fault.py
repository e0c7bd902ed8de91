"""What a fault is: something is wrong in the world while the real command runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.stages import STAGES
from tools.faults.workplace import Workplace


@dataclass(frozen=True)
class Fault:
    """One fault. A kind of fault is a subclass, which overrides what it needs.

    A trial puts the workplace in the state before :attr:`component`, then so many times as
    :attr:`times` says: ``prepare``, ``run``, ``lift``; then gives the same command once more
    without any fault. Invariants are checked after each run. Everything random is drawn when a
    fault is made, so that a trial can be repeated.

    Attributes:
        component: the stage that it is aimed at.
        repeat_codes: exit codes that the last, undisturbed run may have.
        identical: whether it must end with the same model, bit by bit, as a run without faults.
    """

    kind: ClassVar[str] = ""
    stages: ClassVar[tuple[str, ...]] = STAGES
    """Those that this kind of fault can be aimed at."""

    component: str
    times: int = 1
    repeat_codes: tuple[int, ...] = (0,)
    identical: bool = True

    @property
    def told(self) -> str:
        """In words: what is done, and when."""
        raise NotImplementedError

    def prepare(self, place: Workplace, attempt: int) -> None:
        """Makes something wrong before the run."""

    def run(self, place: Workplace, attempt: int) -> Ended:
        """Runs the command; here with nothing else being done to it."""
        return place.start(self.component).end()

    def lift(self, place: Workplace, attempt: int) -> None:
        """Takes away what would hurt the next run as well, such as a limit of the disk."""

    def offences(self, ended: Ended) -> list[str]:
        """What is wrong with how the run with the fault has ended: its exit code, its message."""
        return []

    def has_struck(self, ended: Ended) -> bool:
        """Whether the run met the fault at all; a kill may come too late."""
        return True


Draw = Callable[[str, Profile, Random], Fault]
"""Draws a fault for a stage, given what an undisturbed run takes."""
