"""Numbered versions of a model, in the folder that a model server watches."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from pathlib import Path

from astromer.progress import progress_bar
from astromer.storage import RemotePath
from astromer.storage.trees import MODEL_FILE, copy_tree, remove_tree, size_of

STAGING = ".staging"


def versions(folder: Path) -> list[Path]:
    """The version folders in ``folder``, oldest first. Servers take the highest number."""
    if not folder.is_dir():
        return []
    found = [path for path in _numbered(folder) if is_whole(path)]
    return sorted(found, key=lambda path: int(path.name))


def is_whole(version: Path) -> bool:
    """Whether all of a version is there; one that is being copied to a store is not.

    Its ``saved_model.pb``, without which no server loads it, is copied last.
    """
    if isinstance(version, RemotePath):
        return (version / MODEL_FILE).exists()
    return version.is_dir()


def latest(folder: Path) -> Path | None:
    """The newest version, or None."""
    return max(versions(folder), key=lambda path: int(path.name), default=None)


def publish(model: Path, folder: Path) -> Path:
    """Copies a SavedModel to a new version, which appears whole or not at all.

    The copy is made beside the watched folder, on the same file system, and then renamed. A store
    cannot rename folders: there the files are copied into place, ``saved_model.pb`` last.
    The version is the Unix time, or the last version plus one where the clock is behind it.

    Args:
        model: folder of the SavedModel.
        folder: the watched folder; made if missing.

    Returns:
        The version's folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(folder, RemotePath):
        return _copy(model, folder)
    staged = folder.parent / STAGING / f"{folder.name}-{uuid.uuid4().hex}"
    try:
        _copy_telling(model, staged)
        return _rename(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _rename(staged: Path, folder: Path) -> Path:
    while True:
        version = _next(folder)
        try:
            os.rename(staged, version)
        except OSError:
            if not version.exists():
                raise
        else:
            return version


def _copy(model: Path, folder: RemotePath) -> Path:
    version = _next(folder)
    try:
        _copy_telling(model, version)
    except BaseException:
        with contextlib.suppress(OSError):
            remove_tree(version)
        raise
    return version


def _copy_telling(model: Path, folder: Path) -> None:
    with progress_bar(total=size_of(model), desc="pushing", unit="B", unit_scale=True) as bar:
        copy_tree(model, folder, bar.update)


def _next(folder: Path) -> Path:
    """A number above those of all versions, whole or not."""
    last = max((int(path.name) for path in _numbered(folder)), default=-1)
    return folder / str(max(int(time.time()), last + 1))


def _numbered(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.isdigit() and path.is_dir()]
