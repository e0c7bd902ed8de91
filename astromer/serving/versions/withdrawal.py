"""Versions taken out of the sight of model servers, and brought back."""

from __future__ import annotations

import os
from pathlib import Path

from astromer.serving.versions.folder import WITHDRAWN, is_whole, versions
from astromer.system.errors import ModelError
from astromer.system.storage import RemotePath
from astromer.system.storage.trees import copy_tree, remove_tree


def withdraw(folder: Path, number: str) -> Path:
    """Moves a version to ``withdrawn/``; servers that watch the folder go back to an older one.

    The caller holds the folder's lock, and has seen that the alias names another version.
    """
    return _move(folder / number, folder / WITHDRAWN / number)


def bring_back(folder: Path, number: str) -> Path:
    """Moves a withdrawn version back. The caller holds the folder's lock.

    Raises:
        ModelError: there is no such version.
    """
    source = folder / WITHDRAWN / number
    if not is_whole(source):
        there = ", ".join(path.name for path in versions(folder / WITHDRAWN)) or "none"
        raise ModelError(
            f"A version must be withdrawn to be restored. Received: version {number} of {folder}, "
            f"in whose {WITHDRAWN}/ there is {there}."
        )
    return _move(source, folder / number)


def _move(source: Path, target: Path) -> Path:
    """In one step; in a store file by file, and a version is whole in one place at any time.

    A copy in a store that was cut off is made again by the same call.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, RemotePath):
        copy_tree(source, target)
        remove_tree(source)
    else:
        os.rename(source, target)
    return target
