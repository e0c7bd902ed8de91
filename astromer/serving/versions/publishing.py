"""A model becomes a version, which appears whole or not at all."""

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
"""Beside the folder of versions: where a version is made before it appears."""

Describe = Callable[[Path, str], None]
"""Adds files, such as a model card, to a copy of the model that will have this number."""


def publish(model: Path, folder: Path, describe: Describe = lambda copy, number: None) -> Path:
    """Copies a SavedModel to a new version, with checksums, and lets ``latest`` follow.

    The copy is made beside the folder, on the same file system, and then renamed. A store
    cannot rename folders: there the files are copied into place, ``saved_model.pb`` last.
    The version is the Unix time, or the last version plus one where the clock is behind it.

    Args:
        model: folder of the SavedModel.
        folder: the folder of versions; made if missing.
        describe: adds what belongs to the version.

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
    """Compares a copy with the checksums of the model, which were made when it was written."""
    try:
        found = verify(copy)
    except DamagedVersionError:
        differences = CHECKSUMS_FILE
    else:
        differences = str(found) if found is not None and found.is_damage else ""
    if differences:
        raise ModelError(
            f"A model must be pushed as it was written. Received: {model}; {differences}. Give the "
            "command again that made it: it makes it anew."
        )


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """An empty folder; what is in it at the end is removed."""
    if isinstance(folder, RemotePath):
        with tempfile.TemporaryDirectory(prefix="astromer-") as place:
            yield Path(place) / "version"
        return
    # The folder is locked: what lies here was left by a process that was killed.
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
