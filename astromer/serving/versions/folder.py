"""A folder of versions: which versions it holds, and which one its users get.

They get the version that the alias ``latest`` names. On this machine the alias is a symbolic link
to the version's number, relative, so that the folder can be copied and mounted elsewhere. In stores
and on file systems without links it is a text file that holds the number. Either is replaced in
one step. Model servers ignore it, since it is not a number. ``withdrawn/`` holds versions that are
hidden from model servers, ``.versions/`` a lock and the history of the alias.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from astromer.serving.config import STARTER
from astromer.serving.starter.package import is_starter, read_starter, starter_folder
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import MODEL_FILE, RemotePath, as_path
from astromer.system.text import shell_word
from astromer.system.untrusted_files import read_text

LATEST = "latest"
"""The alias."""

WITHDRAWN = "withdrawn"
"""Folder of versions that are hidden from model servers, which ignore what is not a number."""

KEPT = ".versions"
"""Folder with the lock and the history of the alias."""

_LONGEST_NUMBER = 40


def latest_version(path: str | Path) -> Path:
    """The version that users of a folder get, or the folder itself if it is a SavedModel.

    That is the version that ``latest`` names, else the newest complete one. The result is the
    numbered folder, not the alias, so that a reader stays with one version. The text
    ``starter`` means the model that comes with the package, not a folder of that name.

    Raises:
        ModelError: there is no SavedModel, or the alias names a version that is missing.
        DamagedVersionError: it is a starter whose files have changed.
    """
    path = starter_folder() if path == STARTER else as_path(path)
    if path.name == LATEST and (path.is_symlink() or path.is_file()):
        path = path.parent
    elif is_whole(path):
        return path
    elif is_starter(path):
        return read_starter(path).path
    version = aliased(path) or newest(path)
    if version is None:
        raise ModelError(
            f"A model must be a SavedModel or a folder of its versions. Received: {path}, which "
            f"{'holds none' if path.exists() else 'does not exist'}. Train one first, for instance "
            f"with `make run`, or take the one that comes with the package ({STARTER})."
        )
    return version


def find_version(path: str | Path | None = None, version: int | str | None = None) -> Path:
    """The SavedModel that a path and a version name.

    Args:
        path: a SavedModel, or a folder of versions; None for the model that comes with the package.
        version: which version of the folder; None for the one that users get.

    Raises:
        ModelError: there is none.
        UsageError: a version without a folder.
    """
    if version is None:
        return latest_version(STARTER if path is None else path)
    if path is None:
        raise UsageError(f"A version must be of a folder. Received: version {version}, no folder.")
    folder = as_path(path)
    if not is_whole(folder / str(version)):
        raise ModelError(
            "A version must be in the folder of versions. "
            f"Received: version {version} of {folder}, which has {numbers_in(folder)}."
        )
    return folder / str(version)


def versions(folder: Path) -> list[Path]:
    """The complete versions in a folder, oldest first. Model servers take the highest number."""
    complete = [path for path in _numbered(folder) if is_whole(path)]
    return sorted(complete, key=lambda path: int(path.name))


def newest(folder: Path) -> Path | None:
    """The complete version with the highest number, or None."""
    return max(versions(folder), key=lambda path: int(path.name), default=None)


def withdrawn(folder: Path) -> list[Path]:
    """The complete versions that were withdrawn, oldest first."""
    return versions(folder / WITHDRAWN)


def numbers_in(folder: Path) -> str:
    """The numbers of the complete versions, for messages; "none" if there is none."""
    return ", ".join(path.name for path in versions(folder)) or "none"


def is_whole(version: Path) -> bool:
    """Whether a version is complete, unlike one that is still being copied to a store.

    ``saved_model.pb``, without which no server loads a version, is copied last and removed first.
    """
    return (version / MODEL_FILE).is_file()


def is_number(name: str) -> bool:
    """Whether a name is that of a version."""
    return name.isascii() and name.isdecimal()


def next_number(folder: Path) -> str:
    """The Unix time, or the number after the highest if the clock is behind it.

    Incomplete versions count, and withdrawn ones, so that they can be restored.
    """
    taken = [*_numbered(folder), *_numbered(folder / WITHDRAWN)]
    highest = max((int(path.name) for path in taken), default=-1)
    return str(max(int(time.time()), highest + 1))


def alias(folder: Path) -> str | None:
    """The number that ``latest`` holds; None if there is no alias.

    Raises:
        ModelError: it holds something else.
    """
    file = folder / LATEST
    promote = f"astromer versions promote VERSION --model {shell_word(folder)}"
    try:
        text = os.readlink(file) if _is_link(file) else read_text(file).strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{LATEST} must be a link to a version, or a file with its number. Received: {file}, "
            f"which is neither ({error.__class__.__name__}). Remove it, then run {promote}"
        ) from error
    if not is_number(text) or len(text) > _LONGEST_NUMBER:
        raise ModelError(
            f"{LATEST} must hold the number of a version. "
            f"Received: {text[:_LONGEST_NUMBER]!r} in {file}. Set it: {promote}"
        )
    return text


def aliased(folder: Path) -> Path | None:
    """The version that ``latest`` names; None if there is no alias.

    Raises:
        ModelError: the alias is damaged, or names a version that is missing.
    """
    number = alias(folder)
    if number is None:
        return None
    if not is_whole(folder / number):
        raise ModelError(
            f"{LATEST} must name a complete version. Received: {number} in {folder}, which is "
            "missing or incomplete. Restore it, or name another one: "
            f"astromer versions promote VERSION --model {shell_word(folder)}"
        )
    return folder / number


def set_alias(folder: Path, number: str) -> None:
    """Makes ``latest`` name a version, in one step: readers see the old or the new one.

    The caller holds the folder's lock.

    Raises:
        UsageError: there is a folder of the alias's name.
    """
    file, new = folder / LATEST, folder / KEPT / LATEST
    new.parent.mkdir(exist_ok=True)
    new.unlink(missing_ok=True)
    if isinstance(folder, RemotePath) or not _link(new, number):
        new.write_text(f"{number}\n", encoding="utf-8")
    try:
        new.replace(file)
    except IsADirectoryError as error:
        raise UsageError(
            f"{LATEST} must be a link or a file. Received: {file}, a folder, as copying without "
            "links makes it. Remove it and try again."
        ) from error


def _numbered(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if is_number(path.name) and path.is_dir()]


def _is_link(path: Path) -> bool:
    return not isinstance(path, RemotePath) and path.is_symlink()


def _link(path: Path, target: str) -> bool:
    """Makes a symbolic link; returns whether the file system could."""
    try:
        os.symlink(target, path)
    except OSError:
        return False
    return True
