"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astromer.system.errors import UsageError
from astromer.system.storage import RemotePath, as_path
from astromer.system.storage.publishing import published
from astromer.system.temporary_folders import scratch_folder


def make_folder(folder: str | Path, option: str) -> Path:
    """Makes a folder that an option names.

    Raises:
        UsageError: if it cannot be made, or is something else.
    """
    try:
        as_path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{option} must be a folder that can be written to. Received: {folder} "
            f"({error.strerror}). Choose another one."
        ) from error
    return as_path(folder)


def cut_name(name: str, ending: str = "", most: int = 200) -> str:
    """A file name and an ending, within what file systems take for one: 255 bytes.

    Args:
        name: cut where it and the ending are longer than ``most`` bytes.
        ending: stays whole.
    """
    room = max(most - len(os.fsencode(ending)), 0)
    return os.fsencode(name)[:room].decode(errors="ignore") + ending


def unfinished(path: Path) -> Path:
    """A hidden file of this process beside another, which it replaces when it is whole."""
    return path.with_name(f".{cut_name(path.name)}.{os.getpid()}.partial")


@contextmanager
def replace_folder(folder: str | Path) -> Iterator[Path]:
    """Yields an empty folder to fill; puts it in the place of ``folder`` if nothing was raised.

    The new folder lies beside the old one until it is complete; that of a store, on this machine.
    What a process that was killed has left there is settled first: the old folder comes back if
    it had been moved away already, and a half new one goes.
    """
    folder = as_path(folder)
    if isinstance(folder, RemotePath):
        with published([folder]) as (new,):
            yield new
        return
    folder.parent.mkdir(parents=True, exist_ok=True)

    def bring_back(scratch: Path) -> None:
        if (scratch / "old").is_dir() and not folder.exists():
            os.rename(scratch / "old", folder)

    with scratch_folder(folder.parent, f".{cut_name(folder.name)}.new-", bring_back) as scratch:
        new = scratch / "new"
        new.mkdir()
        yield new
        if folder.exists():
            os.rename(folder, scratch / "old")
        os.rename(new, folder)
