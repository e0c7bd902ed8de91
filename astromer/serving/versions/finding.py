"""Which SavedModel a path means."""

from __future__ import annotations

from pathlib import Path

from astromer.serving.config import PUSHED
from astromer.serving.versions.alias import aliased
from astromer.serving.versions.folder import LATEST, is_whole, newest, versions
from astromer.system.errors import ModelError
from astromer.system.storage import as_path


def latest_version(path: str | Path) -> Path:
    """The version that users of a folder get, or the folder itself if it is a SavedModel.

    It is the one that the alias ``latest`` names, else the newest whole one. What comes back is the
    folder with its number, not the alias, so that one reader stays with one version.

    Raises:
        ModelError: there is no SavedModel, or the alias names none.
    """
    path = as_path(path)
    if path.name == LATEST and (path.is_symlink() or path.is_file()):
        path = path.parent
    elif is_whole(path):
        return path
    version = aliased(path) or newest(path)
    if version is None:
        raise ModelError(
            f"A model must be a SavedModel or a folder of its versions. Received: {path}, which "
            f"{'holds none' if path.exists() else 'does not exist'}. Train one first, for instance "
            "with `make run`."
        )
    return version


def find_version(path: str | Path | None = None, version: int | str | None = None) -> Path:
    """The SavedModel that a path and a version name.

    Args:
        path: a SavedModel, or a folder of versions; None for that of the default output.
        version: which version of the folder; None for the one that users get.

    Raises:
        ModelError: if there is none.
    """
    if path is None:
        path = Path(PUSHED)
    if version is None:
        return latest_version(path)
    folder = as_path(path)
    if not is_whole(folder / str(version)):
        there = ", ".join(path.name for path in versions(folder)) or "none"
        raise ModelError(
            f"A version must be in the folder of versions. Received: version {version} of {path}, "
            f"which has {there}."
        )
    return folder / str(version)
