"""Pushes a model as a new version, which appears complete or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from astromer.serving.checksums import CHECKSUMS_FILE, verify, write_checksums
from astromer.serving.versions.folder import next_number
from astromer.serving.versions.promotion import changing, following
from astromer.system.errors import DamagedVersionError, ModelError
from astromer.system.storage import RemotePath
from astromer.system.storage.trees import copy_tree, remove_tree, size_of
from astromer.system.terminal import progress_bar

STAGING = ".staging"
"""Folder beside the folder of versions, in which a version is prepared."""

Describe = Callable[[Path, str], None]
"""Adds files, such as a model card, to a copy of the model that will have this number."""


def push_version(model: Path, folder: Path, describe: Describe = lambda copy, number: None) -> Path:
    """Copies a SavedModel to a new version, with checksums, and updates ``latest``.

    The copy is made beside the folder, on the same file system, and then renamed. A store cannot
    rename folders: there the files are copied one by one, ``saved_model.pb`` last. For its number
    see :func:`~astromer.serving.versions.folder.next_number`.

    Args:
        model: folder of the SavedModel.
        folder: the folder of versions; made if missing.
        describe: adds files to the version.

    Returns:
        The version's folder.

    Raises:
        OutputLockedError: another process is pushing to the folder.
        ModelError: files of the model are not as they were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with changing(folder), _staging(folder) as copy:
        number = next_number(folder)
        _copy(model, copy, "copying")
        _compare(copy, model)
        describe(copy, number)
        write_checksums(copy)
        with following(folder, number):
            _appear(copy, folder / number)
    return folder / number


def _compare(copy: Path, model: Path) -> None:
    """Compares a copy with the checksums that were made when the model was written."""
    try:
        found = verify(copy)
    except DamagedVersionError:
        differences = CHECKSUMS_FILE
    else:
        differences = str(found) if found is not None and found.is_damage else ""
    if differences:
        raise ModelError(
            f"A model must be pushed as it was written. Received: {model}; {differences}. "
            "Repeat the command that made it."
        )


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A path for the copy, which is removed at the end."""
    if isinstance(folder, RemotePath):
        with tempfile.TemporaryDirectory(prefix="astromer-") as temporary:
            yield Path(temporary) / "version"
        return
    # The folder is locked, so files here are those of a process that was killed.
    staged = folder.parent / STAGING / folder.name
    shutil.rmtree(staged, ignore_errors=True)
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _appear(copy: Path, version: Path) -> None:
    if not isinstance(version, RemotePath):
        os.rename(copy, version)
        return
    try:
        _copy(copy, version, "pushing")
    except BaseException:
        with contextlib.suppress(OSError):
            remove_tree(version)
        raise


def _copy(source: Path, target: Path, verb: str) -> None:
    with progress_bar(total=size_of(source), desc=verb, unit="B", unit_scale=True) as bar:
        copy_tree(source, target, bar.update)
