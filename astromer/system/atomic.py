"""Files and folders that appear whole or not at all.

A new one is made beside the old one, hidden, and renamed when it is complete. A process that is
killed removes nothing; the next one that makes a temporary folder beside it does. Each is locked
while its process works, and the system releases the lock of a process that has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from astromer.system.storage import RemotePath, as_path, copy_tree, remove_tree

UNFINISHED = ".unfinished"
"""File in a folder that is being written to a store, or whose writing was cut off. Hidden folders
beside local ones begin with it."""


def write_file(file: Path, text: str) -> None:
    """Replaces a text file in one step."""
    with replace_file(file) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def replace_file(file: Path, *, shared: bool = False) -> Iterator[Path]:
    """Yields the path of a hidden file, which takes the place of ``file`` if nothing was raised.

    Args:
        file: in a folder that exists, or in a store.
        shared: whether other processes may write the same file at once.
    """
    process = f".{os.getpid()}" if shared else ""
    partial = file.with_name(f".{cut_name(file.name)}{process}.partial")
    try:
        yield partial
        partial.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


@contextmanager
def replace_folder(folder: str | Path) -> Iterator[Path]:
    """Yields an empty local folder, which takes the place of ``folder`` if nothing was raised."""
    with replace_folders([as_path(folder)]) as (new,):
        yield new


@contextmanager
def replace_folders(folders: Sequence[Path]) -> Iterator[list[Path]]:
    """Yields empty local folders, which take the places of ``folders`` if nothing was raised.

    Old folders that a killed process had moved away are put back first.

    Args:
        folders: all in one folder, which is made if missing, or in a store.
    """
    stored = [folder for folder in folders if isinstance(folder, RemotePath)]
    if stored:
        with _replace_in_store(stored) as news:
            yield news
        return
    parent = folders[0].parent
    parent.mkdir(parents=True, exist_ok=True)

    def put_back(temporary: Path) -> None:
        for old in (temporary / "old").iterdir():
            if not (parent / old.name).exists():
                os.rename(old, parent / old.name)

    with temporary_folder(parent, f"{UNFINISHED}-", put_back) as temporary:
        (temporary / "old").mkdir()
        news = [temporary / "new" / folder.name for folder in folders]
        for new in news:
            new.mkdir(parents=True)
        yield news
        for new, folder in zip(news, folders, strict=True):
            if folder.exists():
                os.rename(folder, temporary / "old" / folder.name)
            os.rename(new, folder)


@contextmanager
def _replace_in_store(folders: Sequence[RemotePath]) -> Iterator[list[Path]]:
    """Stores cannot rename a folder, so its files are copied one by one from local folders.

    Meanwhile the file ``.unfinished`` is in it, and a SavedModel's ``saved_model.pb`` is not. The
    local folders lie where the environment variable TMPDIR says. Where the block raises, nothing
    is written; where the copying fails, the unfinished folder is removed.
    """
    for folder in folders:
        folder.exists()  # an unusable store fails before the work
    with tempfile.TemporaryDirectory(prefix="astromer-") as temporary:
        news = [Path(temporary, str(number), folder.name) for number, folder in enumerate(folders)]
        for new in news:
            new.mkdir(parents=True)
        yield news
        for new, folder in zip(news, folders, strict=True):
            remove_tree(folder)
            folder.mkdir(parents=True)
            mark = folder / UNFINISHED
            mark.write_text("This folder is being written, or its writing was cut off.\n")
            try:
                copy_tree(new, folder)
                mark.unlink()
            except BaseException:
                with contextlib.suppress(OSError):
                    remove_tree(folder)
                raise


@contextmanager
def temporary_folder(
    parent: Path, prefix: str, rescue: Callable[[Path], None] = lambda folder: None
) -> Iterator[Path]:
    """An empty folder, removed at the end. Those of processes that have ended are removed first.

    Args:
        parent: where it is made.
        prefix: of its name.
        rescue: moves what must stay out of such a folder before it is removed.

    Raises:
        OSError: it cannot be made.
    """
    for left in [path for path in parent.iterdir() if path.name.startswith(prefix)]:
        _remove_abandoned(left, rescue)
    folder, lock = _make_locked(parent, prefix)
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            rescue(folder)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make_locked(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # another process removed it as abandoned, before it was locked
        with contextlib.suppress(OSError):  # without locks, nothing is ever removed as abandoned
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _remove_abandoned(folder: Path, rescue: Callable[[Path], None]) -> None:
    with contextlib.suppress(OSError):  # another process removes it, or still works in it
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):  # killed before it held anything
                rescue(folder)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def cut_name(name: str, most: int = 200) -> str:
    """A file name, cut to ``most`` bytes; file systems take 255 at most."""
    return os.fsencode(name)[:most].decode(errors="ignore")
