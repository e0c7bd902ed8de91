"""The trainings in an output folder. Imports the standard library only."""

from __future__ import annotations

import os
from pathlib import Path

from astromer.system.errors import DataNotFoundError
from astromer.system.storage import RemotePath
from astromer.system.text import pipeline_command

_PATTERN = "events.out.tfevents.*"
_LINES = ("train", "validation", "mean", "interpolation")


def find_runs(output: Path) -> list[Path]:
    """The log folders of trainings in an output folder or below it, the newest first.

    Raises:
        DataNotFoundError: there are none.
    """
    newest: dict[Path, float] = {}
    for file in _event_files(output):
        folder = file.parent.parent if file.parent.name in _LINES else file.parent
        newest[folder] = max(newest.get(folder, 0.0), file.stat().st_mtime)
    if not newest:
        raise DataNotFoundError(
            "--output must be a folder in which something was trained. Received: "
            f"{output}{'' if output.exists() else ', which does not exist'}. Train with "
            f"{pipeline_command()}, or give its --output."
        )
    return sorted(newest, key=lambda folder: newest[folder], reverse=True)


def _event_files(folder: Path) -> list[Path]:
    if isinstance(folder, RemotePath):
        return _below(folder)
    return [
        Path(place, name)
        for place, _, names in os.walk(folder)
        for name in names
        if name.startswith(_PATTERN[:-1])
    ]


def _below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    inside = list(folder.iterdir())
    found = [path for path in inside if path.name.startswith(_PATTERN[:-1])]
    return found + [file for path in inside if path.is_dir() for file in _below(path)]
