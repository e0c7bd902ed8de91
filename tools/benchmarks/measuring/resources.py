"""What a process of Linux holds at a moment: memory, handles, threads, children."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Held:
    """What one process holds.

    Attributes:
        seconds: since the measuring began.
        anonymous: memory of its own, whether shared libraries and files are mapped or not [MiB].
        handles, threads, children: how many.
        cpu: processor seconds so far.
    """

    seconds: float
    anonymous: float
    handles: int
    threads: int
    children: int
    cpu: float


def held(pid: int, seconds: float) -> Held | None:
    """Looks at a process; None if it has ended.

    Args:
        pid: of the process, which must belong to this user.
        seconds: what to note as the time.
    """
    folder = Path("/proc") / str(pid)
    try:
        fields = dict(
            line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:]
        )
        tasks = [task.name for task in (folder / "task").iterdir()]
        children = sum(_children(folder / "task" / task) for task in tasks)
        times = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        return Held(
            seconds,
            int(fields["Anonymous"].split()[0]) / 1024,
            len(list((folder / "fd").iterdir())),
            len(tasks),
            children,
            sum(map(int, times)) / _TICKS,
        )
    except (FileNotFoundError, ProcessLookupError, KeyError):
        return None


def _children(task: Path) -> int:
    try:
        return len((task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return 0  # the thread has ended since they were listed, not the process
