"""What an undisturbed run takes, stage by stage."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.faults.outcome import Outcome


@dataclass(frozen=True)
class Profile:
    """An undisturbed run.

    Attributes:
        seconds: of each stage.
        operations: of each stage.
        outcome: what it made.
        shape: the paths in its output folder, numbers aside.
    """

    seconds: dict[str, float]
    operations: dict[str, int]
    outcome: Outcome
    shape: list[str]

    def write(self, file: Path) -> None:
        """Keeps it."""
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Profile:
        """One that was kept."""
        content = json.loads(file.read_text(encoding="utf-8"))
        return cls(**{**content, "outcome": Outcome(**content["outcome"])})
