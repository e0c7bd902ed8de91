"""Less memory than the run needs: a limit of the process, or of its control group."""

from __future__ import annotations

import contextlib
import os
import resource
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import ClassVar

from astromer.system.errors import OutOfMemoryError
from tools.faults.clear import WITHOUT_A_WORD, unclear
from tools.faults.fault import Fault
from tools.faults.profile import Profile
from tools.faults.run import Ended
from tools.faults.workplace import Workplace

_GROUPS = Path("/sys/fs/cgroup/memory")
_LIMIT = "memory.limit_in_bytes"


@cache
def group_obstacle() -> str:
    """Why no control group can be made here; "" where it can."""
    try:
        group = _GROUPS / f"faults-{os.getpid()}"
        group.mkdir()
        found = "" if (group / _LIMIT).exists() else f"{_GROUPS} is none of memory, version 1"
        group.rmdir()
        return found
    except OSError as error:
        return f"no control group can be made: {error.strerror}"


@dataclass(frozen=True)
class ShortMemory(Fault):
    """The run gets so much memory and no more.

    Attributes:
        size: bytes.
        group: whether by a control group, which counts what is used and kills; else by
            RLIMIT_AS, which counts what is asked for and refuses.
    """

    kind: ClassVar[str] = "memory"

    size: int = 0
    group: bool = False

    @property
    def told(self) -> str:
        return f"{self.size / 1e6:,.0f} MB {'in a control group' if self.group else 'at most'}"

    def run(self, place: Workplace, attempt: int) -> Ended:
        if not self.group:
            limits = {resource.RLIMIT_AS: self.size, resource.RLIMIT_CORE: 0}
            return place.start(self.component, limits=limits).end()
        group = _GROUPS / f"faults-{place.folder.name}-{os.getpid()}"
        group.mkdir(exist_ok=True)
        try:
            (group / _LIMIT).write_text(str(self.size))
            run = place.start(self.component, limits={resource.RLIMIT_CORE: 0})
            with contextlib.suppress(ProcessLookupError):
                (group / "cgroup.procs").write_text(str(run.process.pid))
            return run.end()
        finally:
            with contextlib.suppress(OSError):
                group.rmdir()

    def offences(self, ended: Ended) -> list[str]:
        return unclear(ended, (0, OutOfMemoryError.exit_code, *WITHOUT_A_WORD))

    def has_struck(self, ended: Ended) -> bool:
        return ended.code != 0


def draw_short_memory(stage: str, profile: Profile, rng: Random) -> ShortMemory:
    """From what Python needs to what the run needs."""
    if not group_obstacle() and rng.random() < 0.4:
        return ShortMemory(component=stage, size=int(rng.uniform(0.15e9, 0.9e9)), group=True)
    return ShortMemory(component=stage, size=int(rng.uniform(0.4e9, 4.2e9)))
