"""A disk that fills up, and one that cannot be written."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import ClassVar

from astromer.system.errors import MetadataError, StorageError, UsageError
from tools.faults.clear import unclear
from tools.faults.fault import Fault
from tools.faults.mounts import make_read_only, make_writable, move_back, move_to_small_disk
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

_FOLDERS = ("", "serving", "pipeline", "training", "metadata", "logs", "validation")


@dataclass(frozen=True)
class FullDisk(Fault):
    """The output folder's disk has room for a part of what is left of the run.

    Attributes:
        room: bytes.
    """

    kind: ClassVar[str] = "full disk"

    room: int = 0

    @property
    def told(self) -> str:
        return f"{self.room / 1e3:,.0f} kB are left"

    def prepare(self, place: Workplace, attempt: int) -> None:
        move_to_small_disk(place, self.room)

    def lift(self, place: Workplace, attempt: int) -> None:
        move_back(place)

    def offences(self, ended: Ended) -> list[str]:
        return unclear(ended, (0, StorageError.exit_code))

    def has_struck(self, ended: Ended) -> bool:
        return ended.code != 0


def draw_full_disk(stage: str, profile: Profile, rng: Random) -> FullDisk:
    """Some room, from that of one file to that of a whole run, as often small as large."""
    return FullDisk(component=stage, room=int(4096 * 2 ** rng.uniform(0, 10)))


@dataclass(frozen=True)
class ReadOnly(Fault):
    """A folder of the output is on a disk that is mounted read-only.

    Attributes:
        folder: its path in the output folder; "" is that itself.
    """

    kind: ClassVar[str] = "read-only"

    folder: str = ""

    @property
    def told(self) -> str:
        return f"OUTPUT/{self.folder} is read-only"

    def prepare(self, place: Workplace, attempt: int) -> None:
        (place.output / self.folder).mkdir(exist_ok=True)
        make_read_only(place.output / self.folder)

    def lift(self, place: Workplace, attempt: int) -> None:
        make_writable(place.output / self.folder)

    def offences(self, ended: Ended) -> list[str]:
        allowed = (0, UsageError, StorageError, MetadataError)
        return unclear(ended, tuple(getattr(kind, "exit_code", 0) for kind in allowed))

    def has_struck(self, ended: Ended) -> bool:
        return ended.code != 0


def draw_read_only(stage: str, profile: Profile, rng: Random) -> ReadOnly:
    """Any of the folders."""
    return ReadOnly(component=stage, folder=rng.choice(_FOLDERS))
