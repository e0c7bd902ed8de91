"""Paths of data and output, on this machine or in a store such as ``gs://bucket/folder``.

:func:`as_path` makes one of what a user or TFX named. A local one is a plain
:class:`pathlib.Path`; a remote one has the same methods, which call ``tf.io.gfile``.
Imports the standard library only; TensorFlow is loaded when a remote path is first used.
"""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

from astromer.system.errors import UsageError
from astromer.system.storage.remote import RemotePath
from astromer.system.text import has_secrets, without_secrets

__all__ = ["RemotePath", "as_path", "local_folder", "local_path", "make_folder", "not_writable"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def as_path(place: str | PathLike[str]) -> Path:
    """The path that a text names.

    Args:
        place: a local path, ``file://...``, or ``scheme://...``; ``~`` is not expanded. Paths
            are returned as they are.

    Raises:
        UsageError: it carries a password or token, which would be in logs, lineage and cards.
    """
    if isinstance(place, Path):
        return place
    text = str(place)
    found = _SCHEME.match(text)
    if not found:
        return Path(text)
    if found[1].lower() == "file":
        return Path("/" + text[found.end() :].lstrip("/"))
    if has_secrets(text):
        raise UsageError(
            "a path in a store must carry no password or token, because paths are written to logs, "
            f"lineage and model cards. Received: {without_secrets(text)}. Give the credentials in "
            "the environment or in a file: see docs/storage.md."
        )
    return RemotePath(text)


def local_path(place: str | PathLike[str], what: str) -> Path:
    """The path of something that must be on this machine.

    Args:
        place: the path.
        what: its name for the error, for instance an option.

    Raises:
        UsageError: it is in a store.
    """
    path = as_path(place)
    if isinstance(path, RemotePath):
        raise UsageError(f"{what} must be on this machine. Received: {path}. Copy it here first.")
    return path


def local_folder(output: Path) -> Path:
    """The folder of the metadata database and of the log files that belong to an output folder.

    SQLite locks and changes its file in place, and a log grows line by line: stores cannot do that.

    Returns:
        The output folder itself, or ``./outputs/stores/gs/bucket/...`` for one in a store.
    """
    if not isinstance(output, RemotePath):
        return output
    return Path("outputs", "stores", output.scheme, *output.parts[1:]).absolute()


def make_folder(folder: str | Path, option: str) -> Path:
    """Makes a folder that an option names.

    Raises:
        UsageError: it cannot be made, or is something else.
    """
    path = as_path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_writable(option, path, error) from error
    return path


def not_writable(option: str, folder: Path, error: OSError) -> UsageError:
    """The error for a folder, named by an option, that cannot be made or written to."""
    return UsageError(
        f"{option} must be a folder that can be written to. Received: {folder} "
        f"({error.strerror or error}). Choose another one."
    )
