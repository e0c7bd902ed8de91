"""What is known of each trial, kept as it comes: one JSON object on a line."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """A trial.

    Attributes:
        name: kind and number.
        kind: of the fault.
        component: the stage that it was aimed at.
        fault: in words.
        struck: the stage that each fault met; less of them than were tried where one came too late.
        codes: exit codes of its runs, the last of the undisturbed one.
        seconds: it took.
        offences: what was wrong.
        said: the last line on standard error of each run.
        watched: what the watcher saw: "looks", "loads", "transitions" and "failures".
    """

    name: str
    kind: str
    component: str
    fault: str
    struck: list[str]
    codes: list[int]
    seconds: float
    offences: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    watched: dict[str, int] = field(default_factory=dict)


class Records:
    """Those of a campaign, in a file that a stopped one goes on with.

    Args:
        file: made if missing.
    """

    def __init__(self, file: Path):
        self._file = file
        self._lock = threading.Lock()

    def add(self, record: Record) -> None:
        """Keeps a record, at once."""
        with self._lock, self._file.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read() != b"\n":  # a line that a kill has cut off
                    file.write(b"\n")
            file.write(json.dumps(asdict(record)).encode() + b"\n")

    def read(self) -> list[Record]:
        """Those that are there; a last line that was cut off by a kill is passed over."""
        if not self._file.exists():
            return []
        records = []
        for line in self._file.read_text(encoding="utf-8").splitlines():
            try:
                records.append(Record(**json.loads(line)))
            except ValueError:
                continue
        return records
