"""Numbered versions of a model, in the folder that a model server watches."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from pathlib import Path

STAGING = ".staging"


def versions(folder: Path) -> list[Path]:
    """The version folders in ``folder``, oldest first. Servers take the highest number."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.name.isdigit() and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name))


def latest(folder: Path) -> Path | None:
    """The newest version, or None."""
    return max(versions(folder), key=lambda path: int(path.name), default=None)


def publish(model: Path, folder: Path) -> Path:
    """Copies a SavedModel to a new version, which appears whole or not at all.

    The copy is made beside the watched folder, on the same file system, and then renamed.
    The version is the Unix time, or the last version plus one where the clock is behind it.

    Args:
        model: folder of the SavedModel.
        folder: the watched folder; made if missing.

    Returns:
        The version's folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder.parent / STAGING / f"{folder.name}-{uuid.uuid4().hex}"
    try:
        shutil.copytree(model, staged)
        return _rename(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _rename(staged: Path, folder: Path) -> Path:
    while True:
        last = latest(folder)
        number = max(int(time.time()), int(last.name) + 1 if last else 0)
        try:
            os.rename(staged, folder / str(number))
        except OSError:
            if not (folder / str(number)).exists():
                raise
        else:
            return folder / str(number)
