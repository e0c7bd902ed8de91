"""Two at once: runs on one output folder, and a run beside a change of the versions."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

from astromer.serving.versions.folder import newest
from astromer.system.errors import OutputLockedError
from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

SECOND, PROMOTE = "the same command", "versions promote"


@dataclass(frozen=True)
class TwoRuns(Fault):
    """Another program begins when the run is at a stage.

    Attributes:
        other: which one.
    """

    kind: ClassVar[str] = "two at once"

    other: str = SECOND

    @property
    def told(self) -> str:
        return f"{self.other}, when {self.component} begins"

    def run(self, place: Workplace, attempt: int) -> Ended:
        version = newest(place.serving)
        before = version.name if version else ""
        run = place.start(self.component)
        if not run.wait_for(self.component):
            return run.end()
        wrong = []
        if self.other == SECOND:
            second = place.start(self.component, name="second").end()
            wrong = unclear(second, (OutputLockedError.exit_code,))
        else:
            command = [sys.executable, "-m", "astromer", "versions", "promote", before]
            for number in range(3):
                words = [*command, "--model", str(place.serving)]
                other = place.launch(words, f"promote-{number}").end()
                wrong += unclear(other, (0,))
        ended = run.end()
        said = "".join(f"\nsecond run: {what}" for what in wrong)
        return replace(ended, stderr=ended.stderr + said)

    def offences(self, ended: Ended) -> list[str]:
        told = [line for line in ended.stderr.splitlines() if line.startswith("second run:")]
        return [*told, *unclear(ended, (0,))]


def draw_two_runs(stage: str, profile: Profile, rng: Random) -> TwoRuns:
    """Mostly the same command."""
    return TwoRuns(component=stage, other=SECOND if rng.random() < 0.7 else PROMOTE)
