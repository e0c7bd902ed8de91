"""What is known of each trial, kept as it comes: one JSON object on a line."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """A trial.

    Attributes:
        number: from 0.
        kind: of the fault.
        component: the stage that it was aimed at.
        fault: in words.
        struck: the stage that each fault met; less of them than were tried where one came too late.
        codes: exit codes of its runs, the last of the undisturbed one.
        seconds: it took.
        offences: what was wrong.
    """

    number: int
    kind: str
    component: str
    fault: str
    struck: list[str]
    codes: list[int]
    seconds: float
    offences: list[str] = field(default_factory=list)


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
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")

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
