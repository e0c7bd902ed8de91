"""The file of the metadata, with a flipped bit or cut off."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from astromer.system.errors import MetadataError
from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.flip import cut, flip
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

FLIPPED, CUT = "flipped", "cut off"


@dataclass(frozen=True)
class DamagedDatabase(Fault):
    """The database is damaged between two runs, and put back from a copy after the second.

    Attributes:
        how: what is wrong with it.
        seed: of where.
    """

    kind: ClassVar[str] = "metadata"

    how: str = FLIPPED
    seed: int = 0

    @property
    def told(self) -> str:
        return f"the metadata database is {self.how} ({self.seed})"

    def prepare(self, place: Workplace, attempt: int) -> None:
        shutil.copyfile(place.database, place.folder / "database")
        (flip if self.how == FLIPPED else cut)(place.database, Random(self.seed))

    def run(self, place: Workplace, attempt: int) -> Ended:
        return place.start(self.component).end()

    def lift(self, place: Workplace, attempt: int) -> None:
        """What the message says, where there is one."""
        if "error:" in (place.folder / "run.stderr").read_text(encoding="utf-8"):
            shutil.copyfile(place.folder / "database", place.database)

    def offences(self, ended: Ended) -> list[str]:
        return unclear(ended, (0, MetadataError.exit_code))


def draw_damaged_database(stage: str, profile: Profile, rng: Random) -> DamagedDatabase:
    """Flipped mostly."""
    how = FLIPPED if rng.random() < 0.75 else CUT
    return DamagedDatabase(component=stage, how=how, seed=rng.randrange(1 << 30))
