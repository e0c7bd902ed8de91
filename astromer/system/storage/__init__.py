"""Paths of data and output, on this machine or in a store such as ``gs://bucket/folder``.

:func:`as_path` makes one of what a user or TFX named. A local one is a plain
:class:`pathlib.Path`; a remote one has the same methods, which call ``tf.io.gfile``. Files and
folders are copied, compared and removed alike in both places.
Imports the standard library only; TensorFlow is loaded when a remote path is first used.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path, PurePath

from astromer.system.errors import UsageError
from astromer.system.storage.remote import RemotePath, file_system
from astromer.system.text import has_secrets, without_secrets

__all__ = [
    "MODEL_FILE",
    "RemotePath",
    "as_path",
    "copy_file",
    "copy_tree",
    "files_in",
    "local_folder",
    "local_path",
    "make_folder",
    "not_writable",
    "remove_tree",
    "same_content",
    "size_of",
]

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
