"""The alias ``latest``: which version users of a folder of versions get.

On this machine it is a symbolic link to the version's number, relative, so that the folder can be
copied and mounted elsewhere. Stores have no links: there, and on file systems without them, it is a
text file that holds the number. Either is put in the place of the old one in one step. Model
servers pass over it, since it is no number.
"""

from __future__ import annotations

import os
from pathlib import Path

from astromer.serving.versions.folder import KEPT, LATEST, is_number, is_whole
from astromer.system.errors import ModelError, UsageError
from astromer.system.storage import RemotePath
from astromer.system.text import shell_word
from astromer.system.untrusted_files import read_text

_MOST = 40  # characters of a number, by far


def alias(folder: Path) -> str | None:
    """The number that ``latest`` holds; None where there is no alias.

    Raises:
        ModelError: it holds something else.
    """
    place = folder / LATEST
    try:
        text = os.readlink(place) if _is_link(place) else read_text(place).strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{LATEST} must be a link to a version, or a file with its number. Received: {place}, "
            f"which is neither ({error.__class__.__name__}). Remove it, then name the version "
            "again: "
            f"astromer versions promote VERSION --model {shell_word(folder)}"
        ) from error
    if not is_number(text) or len(text) > _MOST:
        raise ModelError(
            f"{LATEST} must hold the number of a version. Received: {text[:_MOST]!r} in {place}. "
            f"Name one: astromer versions promote VERSION --model {shell_word(folder)}"
        )
    return text


def aliased(folder: Path) -> Path | None:
    """The version that ``latest`` names; None where there is no alias.

    Raises:
        ModelError: the alias is damaged, or names a version that is not there.
    """
    number = alias(folder)
    if number is None:
        return None
    if not is_whole(folder / number):
        raise ModelError(
            f"{LATEST} must name a version that is there. Received: {number} in {folder}, which is "
            "gone or not whole. Put it back, or name another one: astromer versions "
            f"promote VERSION --model {shell_word(folder)}"
        )
    return folder / number


def set_alias(folder: Path, number: str) -> None:
    """Makes ``latest`` name a version, in one step: whoever looks sees the old or the new one.

    The caller holds the folder's lock.

    Raises:
        UsageError: a folder lies in the alias's place.
    """
    place, new = folder / LATEST, folder / KEPT / LATEST
    new.parent.mkdir(exist_ok=True)
    new.unlink(missing_ok=True)
    if isinstance(folder, RemotePath) or not _link(new, number):
        new.write_text(f"{number}\n", encoding="utf-8")
    try:
        new.replace(place)
    except IsADirectoryError as error:
        raise UsageError(
            f"{LATEST} must be a link or a file. Received: {place}, a folder, as copying without "
            "links makes it. Remove it and try again."
        ) from error


def _is_link(place: Path) -> bool:
    return not isinstance(place, RemotePath) and place.is_symlink()


def _link(place: Path, target: str) -> bool:
    """Whether the file system could make a symbolic link."""
    try:
        os.symlink(target, place)
    except OSError:
        return False
    return True
