"""Paths of data and output, on this machine or in a store such as ``gs://bucket/folder``.

:func:`as_path` makes one of what a user or TFX named. A local one is a plain
:class:`pathlib.Path`; a remote one has the same methods, which go through ``tf.io.gfile``.
Imports the standard library only; TensorFlow is loaded when a remote path is first looked at.
"""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

from astromer.system.errors import UsageError
from astromer.system.storage.remote import RemotePath
from astromer.system.text import has_secrets, without_secrets

__all__ = ["RemotePath", "as_path", "is_remote", "local_path"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def as_path(place: str | PathLike[str]) -> Path:
    """The path that a text names.

    Args:
        place: a local path, ``file://...``, or ``scheme://...``; ``~`` is not expanded. Paths
            come back as they are.

    Raises:
        UsageError: it carries a password or token. It would be in logs, lineage and model cards.
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
            "a place in a store must carry no password or token: places are written down in logs, "
            f"lineage and model cards. Received: {without_secrets(text)}. Give the store's tools "
            "theirs in the environment or in a file, as docs/storage.md has it."
        )
    return RemotePath(text)


def is_remote(place: str | PathLike[str]) -> bool:
    """Whether a path lies in a store instead of this machine's file system."""
    return isinstance(as_path(place), RemotePath)


def local_path(place: str | PathLike[str], what: str) -> Path:
    """The path of something that must lie on this machine.

    Args:
        place: the path.
        what: its name for the error, for instance an option.

    Raises:
        UsageError: it lies in a store.
    """
    path = as_path(place)
    if isinstance(path, RemotePath):
        raise UsageError(f"{what} must be on this machine. Received: {path}. Copy it here first.")
    return path


def local_folder(output: Path) -> Path:
    """The folder of the metadata database and of log files that belongs to an output folder.

    SQLite locks and changes its file in place, and a log grows line by line: no store does that.

    Returns:
        The output folder itself, or ``./outputs/stores/gs/bucket/...`` for one in a store.
    """
    if not isinstance(output, RemotePath):
        return output
    return Path("outputs", "stores", output.scheme, *output.parts[1:]).absolute()
