"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from astromer.system.errors import UsageError
from astromer.system.storage import RemotePath, as_path
from astromer.system.storage.trees import copy_tree, remove_tree


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


@contextmanager
def scratch_folder(
    parent: Path, prefix: str, salvage: Callable[[Path], None] = lambda folder: None
) -> Iterator[Path]:
    """An empty folder in ``parent``, removed with what is in it at the end.

    Others with this prefix whose process is gone are removed first.

    Args:
        parent: where it is made.
        prefix: of its name.
        salvage: takes out of an abandoned one what must not be removed.

    Raises:
        OSError: it cannot be made.
    """
    for left in [path for path in parent.iterdir() if path.name.startswith(prefix)]:
        _remove_abandoned(left, salvage)
    folder, lock = _make(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # another process took it for abandoned, before it was locked
        with contextlib.suppress(OSError):  # a file system without locks removes nothing, either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _remove_abandoned(folder: Path, salvage: Callable[[Path], None]) -> None:
    with contextlib.suppress(OSError):  # another process removes it, or is still at work in it
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            salvage(folder)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


UNFINISHED = ".unfinished"
"""File in a folder that is being written to a store, or whose writing was cut off."""


@contextmanager
def published(folders: list[RemotePath]) -> Iterator[list[Path]]:
    """Yields empty local folders; what is in them takes the place of ``folders`` at the end.

    Stores cannot rename a folder, so its files are copied one by one. Meanwhile the file
    ``.unfinished`` is there, and a SavedModel's ``saved_model.pb`` is not. A local folder holds
    everything until then, in the place that the environment variable TMPDIR names.

    Where the block raises, nothing is written; where the copying fails, the unfinished
    folder is removed.
    """
    for folder in folders:
        folder.exists()  # whatever is wrong with the store is told before the work
    with tempfile.TemporaryDirectory(prefix="astromer-") as place:
        filled = [Path(place) / str(number) / folder.name for number, folder in enumerate(folders)]
        for new in filled:
            new.mkdir(parents=True)
        yield filled
        for new, folder in zip(filled, folders, strict=True):
            _upload(new, folder)


def _upload(source: Path, folder: RemotePath) -> None:
    remove_tree(folder)
    folder.mkdir(parents=True)
    mark = folder / UNFINISHED
    mark.write_text("This folder is being written, or its writing was cut off.\n")
    try:
        copy_tree(source, folder)
        mark.unlink()
    except BaseException:
        with contextlib.suppress(OSError):
            remove_tree(folder)
        raise
