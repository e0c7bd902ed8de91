"""Record files with a flipped bit, cut off, or not to be read at all."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar

from astromer.system.errors import DataNotFoundError, RecordError, StorageError
from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.flip import cut, draw_file, flip
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

FLIPPED, CUT = "flipped", "cut off"
FOLDER, DANGLING, DEVICE, PIPE = "a folder", "a link to nothing", "unreadable", "a pipe"
_RECORDS = ("second/fold_0/*/*.record",)


@dataclass(frozen=True)
class DamagedRecords(Fault):
    """A record file is not as it was written.

    Attributes:
        how: what is wrong with it.
        seed: of which file, and where.
    """

    kind: ClassVar[str] = "records"

    how: str = FLIPPED
    seed: int = 0

    @property
    def told(self) -> str:
        return f"a record file is {self.how} ({self.seed})"

    def prepare(self, place: Workplace, attempt: int) -> None:
        rng = Random(self.seed)
        file = draw_file(place.data, _RECORDS, rng)
        shutil.copyfile(file, place.folder / "record")
        (place.folder / "damaged").write_text(str(file), encoding="utf-8")
        if self.how == FLIPPED:
            flip(file, rng)
        elif self.how == CUT:
            cut(file, rng)
        else:
            file.unlink()
            if self.how == FOLDER:
                file.mkdir()
            elif self.how == PIPE:
                os.mkfifo(file)
            else:
                file.symlink_to("nothing" if self.how == DANGLING else "/proc/self/mem")

    def lift(self, place: Workplace, attempt: int) -> None:
        file = Path((place.folder / "damaged").read_text(encoding="utf-8"))
        if file.is_dir():
            file.rmdir()
        file.unlink(missing_ok=True)
        shutil.copyfile(place.folder / "record", file)

    def offences(self, ended: Ended) -> list[str]:
        codes = (RecordError, DataNotFoundError, StorageError)
        return unclear(ended, tuple(kind.exit_code for kind in codes))


def draw_damaged_records(stage: str, profile: Profile, rng: Random) -> DamagedRecords:
    """Flips half of the time, else one of the others."""
    how = FLIPPED if rng.random() < 0.5 else rng.choice((CUT, FOLDER, DANGLING, DEVICE, PIPE))
    return DamagedRecords(component=stage, how=how, seed=rng.randrange(1 << 30))
