"""Copies, compares and removes files and folders, here and in stores."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath

from astromer.system.storage.gfile import file_system
from astromer.system.storage.remote import RemotePath

MODEL_FILE = "saved_model.pb"
"""Makes a folder a SavedModel: copied last and removed first, so that no part looks complete."""

_BLOCK = 1 << 20


def copy_file(source: Path, target: Path) -> None:
    """Copies a file, and replaces an old one."""
    if isinstance(source, RemotePath) or isinstance(target, RemotePath):
        remote = source if isinstance(source, RemotePath) else target
        file_system(str(remote)).call("copy", str(source), str(target), overwrite=True)
    else:
        shutil.copyfile(source, target)


def copy_tree(
    source: Path, target: Path, progress: Callable[[int], object] = lambda size: None
) -> None:
    """Copies what is in a folder, hidden files too, into another, which is made if missing.

    ``saved_model.pb`` comes last.

    Args:
        source, target: the folders.
        progress: called with the bytes of each file that was copied.
    """
    target.mkdir(parents=True, exist_ok=True)
    made = {PurePath()}
    for file in sorted(files_in(source), key=lambda file: file.name == MODEL_FILE):
        if file.parent not in made:
            (target / file.parent).mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        copy_file(source / file, target / file)
        progress((source / file).stat().st_size)


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder, at any depth."""
    return sum((folder / file).stat().st_size for file in files_in(folder))


def files_in(folder: Path) -> list[PurePath]:
    """The files at any depth, as paths from the folder, in order."""
    return sorted(PurePath(file.relative_to(folder)) for file in _walk(folder))


def remove_tree(path: Path) -> None:
    """Removes a folder and its content; a missing one is no error."""
    if isinstance(path, RemotePath):
        (path / MODEL_FILE).unlink(missing_ok=True)
        if path.is_dir():
            file_system(str(path)).call("rmtree", str(path))
    elif path.is_dir():
        shutil.rmtree(path)


def same_content(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while block := first.read(_BLOCK):
            if block != second.read(_BLOCK):
                return False
    return True


def _walk(folder: Path) -> Iterator[Path]:
    children: Iterable[tuple[Path, bool]]
    if isinstance(folder, RemotePath):
        children = folder.scan()
    else:
        children = ((path, path.is_dir()) for path in folder.iterdir())
    for path, is_folder in children:
        if is_folder:
            yield from _walk(path)
        else:
            yield path
