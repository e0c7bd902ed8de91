"""SIGKILL and SIGTERM at a random moment of a component."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from astromer.system.errors import STOPPED, TrainingInterrupted
from tools.faults.fault import Fault
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

STOPPED_CODES = (STOPPED, TrainingInterrupted.exit_code)
_MOST = 3  # kills in a row; the repeats are killed, too


@dataclass(frozen=True)
class Blow:
    """When and how a process is killed.

    Attributes:
        signal: its number.
        group: whether the whole process group gets it, or the process alone.
        operation: at which one since the start of the stage, counted from 1; 0 = by time.
        seconds: after the start of the stage, where it is by time.
    """

    signal: int
    group: bool
    operation: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        when = f"operation {self.operation}" if self.operation else f"{self.seconds:.3f} s"
        whom = "the group" if self.group else "the process"
        return f"{signal.Signals(self.signal).name} to {whom} at {when}"


@dataclass(frozen=True)
class Kill(Fault):
    """Kills the run, and its repeats, in one stage.

    Attributes:
        blows: one for each time.
    """

    kind: ClassVar[str] = "kill"

    blows: tuple[Blow, ...] = ()

    @property
    def told(self) -> str:
        return ", then ".join(map(str, self.blows))

    def run(self, place: Workplace, attempt: int) -> Ended:
        blow = self.blows[attempt]
        if blow.operation:
            wishes = {
                "stage": self.component,
                "operation": blow.operation,
                "signal": blow.signal,
                "group": blow.group,
            }
            return place.start(self.component, wishes=wishes).end()
        run = place.start(self.component)
        if run.wait_for(self.component):
            moment = run.started + run.stages[self.component] + blow.seconds
            while time.monotonic() < moment:
                if not run.listen(moment):
                    return run.end()
            run.send(blow.signal, blow.group)
        return run.end()

    def offences(self, ended: Ended) -> list[str]:
        if not self.has_struck(ended):
            return [] if ended.code == 0 else [f"ended with {ended.code} before it was killed"]
        if ended.code == -signal.SIGKILL:
            return []
        found = []
        # Before Python has its handlers, and at its very end, SIGTERM does what it does by
        # itself; a shell calls that 143.
        if ended.code not in (0, -signal.SIGTERM, *STOPPED_CODES):  # it may have been over already
            found.append(f"a stopped run ended with {ended.code}, not {STOPPED_CODES}")
        if "Traceback" in ended.stderr:
            found.append("a stopped run ended with a traceback")
        if ended.code == TrainingInterrupted.exit_code and not ended.stderr.strip():
            found.append("a stopped run ended without a word")
        lines = [line for line in ended.stderr.splitlines() if line.startswith("error:")]
        if len(lines) > 1:
            found.append(f"a stopped run ended with {len(lines)} error lines")
        return found

    def has_struck(self, ended: Ended) -> bool:
        return bool(ended.struck)


def draw_kill(stage: str, profile: Profile, rng: Random) -> Kill:
    """A kill at a moment that is uniform in the stage's time, or in its operations.

    Half of them are by time, which meets what takes long; half by operation, which meets what
    takes milliseconds.
    """
    times = rng.randint(1, _MOST)
    return Kill(
        component=stage,
        times=times,
        blows=tuple(_draw_blow(stage, profile, rng) for _ in range(times)),
    )


def _draw_blow(stage: str, profile: Profile, rng: Random) -> Blow:
    number = int(rng.choice((signal.SIGKILL, signal.SIGTERM)))
    group, by_time, share = rng.random() < 0.5, rng.random() < 0.5, rng.random()
    operations = profile.operations.get(stage, 0)
    if by_time or not operations:
        return Blow(number, group, seconds=share * profile.seconds[stage])
    return Blow(number, group, operation=1 + int(share * operations))
