"""What lies in a folder of versions."""

from __future__ import annotations

import time
from pathlib import Path

from astromer.system.storage.trees import MODEL_FILE

LATEST = "latest"
"""The alias: the version that users of the folder get."""

WITHDRAWN = "withdrawn"
"""Folder of versions that no model server is to see; servers pass over what is no number."""

KEPT = ".versions"
"""Folder with the lock, and the history of the alias."""


def versions(folder: Path) -> list[Path]:
    """The whole versions in a folder, oldest first. Model servers take the highest number."""
    found = [path for path in _numbered(folder) if is_whole(path)]
    return sorted(found, key=lambda path: int(path.name))


def is_whole(version: Path) -> bool:
    """Whether all of a version is there; one that is being copied to a store is not.

    Its ``saved_model.pb``, without which no server loads it, is copied last and removed first.
    """
    return (version / MODEL_FILE).is_file()


def newest(folder: Path) -> Path | None:
    """The whole version with the highest number, or None."""
    return max(versions(folder), key=lambda path: int(path.name), default=None)


def withdrawn(folder: Path) -> list[Path]:
    """The whole versions that were withdrawn, oldest first."""
    return versions(folder / WITHDRAWN)


def next_number(folder: Path) -> str:
    """The Unix time, or the number after the highest where the clock is behind it.

    Counts versions that are not whole, and those that were withdrawn, so that they can come back.
    """
    taken = [*_numbered(folder), *_numbered(folder / WITHDRAWN)]
    last = max((int(path.name) for path in taken), default=-1)
    return str(max(int(time.time()), last + 1))


def _numbered(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if is_number(path.name) and path.is_dir()]


def is_number(name: str) -> bool:
    """Whether a name is that of a version."""
    return name.isascii() and name.isdecimal()
