"""A training state that is damaged between two runs, or belongs to other settings."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from astromer.system.errors import ModelError
from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.flip import cut, flip
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

FLIPPED, CUT = "flipped", "cut off"


@dataclass(frozen=True)
class DamagedCheckpoint(Fault):
    """The training is killed; its state is damaged; the command is given again.

    Attributes:
        how: what is wrong with the file.
        seed: of where.
    """

    kind: ClassVar[str] = "checkpoint"

    how: str = FLIPPED
    seed: int = 0

    @property
    def told(self) -> str:
        return f"training is killed and its state {self.how} ({self.seed})"

    def prepare(self, place: Workplace, attempt: int) -> None:
        if attempt and (state := place.training_state()) is not None:
            rng = Random(self.seed)
            (flip if self.how == FLIPPED else cut)(state, rng)

    def run(self, place: Workplace, attempt: int) -> Ended:
        run = place.start(self.component)
        if attempt:
            return run.end()
        while place.training_state() is None and run.process.poll() is None:
            time.sleep(0.01)
        run.send(signal.SIGKILL, group=True)
        return run.end()

    def lift(self, place: Workplace, attempt: int) -> None:
        """What the message says: deletes the state."""
        if attempt and (state := place.training_state()) is not None:
            state.unlink()

    def offences(self, ended: Ended) -> list[str]:
        if ended.code == -signal.SIGKILL:
            return []
        return unclear(ended, (0, ModelError.exit_code))


def draw_damaged_checkpoint(stage: str, profile: Profile, rng: Random) -> DamagedCheckpoint:
    """Flipped or cut off anywhere."""
    how = FLIPPED if rng.random() < 0.6 else CUT
    return DamagedCheckpoint(component=stage, times=2, how=how, seed=rng.randrange(1 << 30))
