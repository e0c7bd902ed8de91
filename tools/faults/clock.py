"""A clock that is wrong, and files that come from the future."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

_DAY = 86_400


@dataclass(frozen=True)
class WrongClock(Fault):
    """The run is given another time of day.

    Attributes:
        shift: seconds that are added to it.
        touched: whether all files of the output folder have times of next year.
    """

    kind: ClassVar[str] = "clock"

    shift: float = 0.0
    touched: bool = False

    @property
    def told(self) -> str:
        days = f"the clock is {self.shift / _DAY:+,.2f} days wrong"
        return f"{days}, files are of next year" if self.touched else days

    def prepare(self, place: Workplace, attempt: int) -> None:
        if self.touched:
            moment = time.time() + 365 * _DAY
            for path in place.output.rglob("*"):
                os.utime(path, (moment, moment), follow_symlinks=False)

    def run(self, place: Workplace, attempt: int) -> Ended:
        return place.start(self.component, wishes={"clock": self.shift}).end()

    def offences(self, ended: Ended) -> list[str]:
        return unclear(ended, (0,))


def draw_wrong_clock(stage: str, profile: Profile, rng: Random) -> WrongClock:
    """From a minute to ten years, mostly backwards."""
    shift = 60 * (10 * 365 * 24 * 60) ** rng.random()
    sign = -1 if rng.random() < 0.75 else 1
    return WrongClock(component=stage, shift=sign * shift, touched=rng.random() < 0.3)
