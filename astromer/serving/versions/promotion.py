"""Changes of a folder of versions: push, promotion and rollback, with their history.

A change is recorded before it is made, and marked as done after it. If a process is killed in
between, its entry is not marked; the alias shows whether the change was made. Every change holds
the folder's lock.

A model is pushed as a new version, which appears complete or not at all.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from astromer.serving.checksums import CHECKSUMS_FILE, verify, write_checksums
from astromer.serving.versions.folder import (
    KEPT,
    LATEST,
    WITHDRAWN,
    alias,
    is_whole,
    newest,
    next_number,
    numbers_in,
    set_alias,
    versions,
)
from astromer.system.atomic import write_file
from astromer.system.errors import DamagedVersionError, ModelError
from astromer.system.storage import RemotePath, copy_tree, remove_tree, size_of
from astromer.system.storage.lock import locked
from astromer.system.terminal import progress_bar
from astromer.system.text import shell_word
from astromer.system.untrusted_files import read_json

HISTORY_FILE = "history.json"
PUSH, PROMOTE, ROLLBACK = "push", "promote", "rollback"

_LOCK_SECONDS = 120.0  # to wait for another process that pushes or promotes
_MOST_CHANGES = 200  # that the history keeps


def promote(folder: Path, number: str, *, withdraw_newer: bool = False) -> list[str]:
    """Makes ``latest`` name a version. The caller has checked that the version works.

    Args:
        folder: the folder of versions.
        number: the version.
        withdraw_newer: also withdraw those with higher numbers, which model servers would take.

    Returns:
        Numbers that were withdrawn.

    Raises:
        ModelError: there is no such version.
    """
    with changing(folder):
        check_there(folder, number)
        return _change(folder, PROMOTE, number, withdraw_newer)


def rollback(folder: Path, *, withdraw_newer: bool = False) -> tuple[str, list[str]]:
    """Makes ``latest`` name the version that it named before.

    Returns:
        The number of the version, and numbers that were withdrawn.

    Raises:
        ModelError: no version that it named before still exists.
    """
    with changing(folder):
        candidates = earlier_versions(folder)
        if not candidates:
            raise ModelError(
                f"A rollback needs a version that {LATEST} named before and that still exists. "
                f"{folder} has none. Choose one of {numbers_in(folder)}: "
                f"astromer versions promote VERSION --model {shell_word(folder)}"
            )
        number = candidates[0].name
        return number, _change(folder, ROLLBACK, number, withdraw_newer)


def restore(folder: Path, number: str) -> None:
    """Restores a version that was withdrawn. The alias does not change.

    Raises:
        ModelError: there is no such version.
    """
    with changing(folder):
        source = folder / WITHDRAWN / number
        if not is_whole(source):
            raise ModelError(
                f"A version must be withdrawn to be restored. Received: version {number} of "
                f"{folder}, in whose {WITHDRAWN}/ there is {numbers_in(folder / WITHDRAWN)}."
            )
        _relocate(source, folder / number)


def current(folder: Path) -> Path | None:
    """The version that users get: that of the alias, else the newest; None if there is none.

    An alias that names a missing version counts as none, so that it can be replaced.
    """
    number = alias(folder)
    if number is not None and is_whole(folder / number):
        return folder / number
    return newest(folder)


def earlier_versions(folder: Path) -> list[Path]:
    """The existing versions that users got before the current one, latest first."""
    named = current(folder)
    numbers = earlier(read_alias_history(folder), _name(named))
    candidates = [folder / number for number in dict.fromkeys(numbers)]
    return [version for version in candidates if version != named and is_whole(version)]


def versions_of_users(folder: Path) -> list[Path]:
    """The version that users get, then the existing ones that they got before."""
    named = current(folder)
    return [named, *earlier_versions(folder)] if named is not None else []


def check_there(folder: Path, number: str) -> None:
    """Checks that a version is in service.

    Raises:
        ModelError: it is not; the message says whether it is withdrawn.
    """
    if is_whole(folder / number):
        return
    if is_whole(folder / WITHDRAWN / number):
        raise ModelError(
            f"A version must be in service to be promoted. Received: {number} of {folder}, which "
            f"is withdrawn. Restore it: astromer versions restore {number} --model "
            f"{shell_word(folder)}"
        )
    raise ModelError(
        "A version must be in the folder of versions. "
        f"Received: version {number} of {folder}, in which there is {numbers_in(folder)}."
    )


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder of versions, and completes the push of a killed process.

    Raises:
        UsageError: the folder cannot be written.
        OutputLockedError: another process held it for two minutes.
    """
    with locked(folder / KEPT, "--model", _LOCK_SECONDS):
        _complete_push(folder)
        yield


@contextmanager
def following(folder: Path, number: str) -> Iterator[None]:
    """Makes ``latest`` name a version that appears in the block. The folder is locked.

    The alias does not change if it names an older version than the newest, as after a rollback.

    Args:
        folder: the folder of versions.
        number: of the version that will appear.
    """
    named = current(folder)
    if named != newest(folder):
        yield
        return
    _begin(folder, PUSH, _name(named), number)
    yield
    _finish(folder, number)


@dataclass(frozen=True)
class AliasChange:
    """A change of the alias.

    Attributes:
        action: "push", "promote" or "rollback".
        before: number that the alias named before; None if there was no alias.
        after: number that it names then.
        time: Unix time [s].
        done: whether the change is known to have been made.
    """

    action: str
    before: str | None
    after: str
    time: float
    done: bool = False


def read_alias_history(folder: Path) -> list[AliasChange]:
    """The changes, oldest first; none if there is no readable history."""
    try:
        entries = read_json(folder / KEPT / HISTORY_FILE)
        return [AliasChange(**entry) for entry in entries]
    except (OSError, ValueError, TypeError):
        return []  # the alias does not depend on its history


def earlier(changes: Sequence[AliasChange], named: str | None) -> list[str]:
    """Numbers that the alias named before the current one, latest first.

    A rollback drops the numbers that it left. A change was made if it is marked as done, or if the
    next one starts from its result; another start is a change by hand, which counts, too.

    Args:
        changes: the history.
        named: what the alias names now.
    """
    stack: list[str] = []
    starts = [*(change.before for change in changes[1:]), named]
    for change, start in zip(changes, starts):
        _put(stack, change.before)
        if not change.done and start != change.after:
            continue
        if change.action == ROLLBACK:
            while stack and stack[-1] != change.after:
                stack.pop()
        _put(stack, change.after)
    _put(stack, named)
    return stack[-2::-1] if len(stack) > 1 else []


def _put(stack: list[str], number: str | None) -> None:
    if number is not None and stack[-1:] != [number]:
        stack.append(number)


def _change(folder: Path, action: str, number: str, withdraw_newer: bool) -> list[str]:
    """Makes a promotion or a rollback; returns the numbers that were withdrawn."""
    _begin(folder, action, _name(current(folder)), number)
    _finish(folder, number)
    if not withdraw_newer:
        return []
    above = [path.name for path in versions(folder) if int(path.name) > int(number)]
    for newer in reversed(above):  # servers must never see a lower number replace a higher one
        _relocate(folder / newer, folder / WITHDRAWN / newer)
    return above


def _complete_push(folder: Path) -> None:
    """Completes a push that was killed between the new version and the change of the alias."""
    changes = read_alias_history(folder)
    if not changes or changes[-1].done:
        return
    last, named = changes[-1], alias(folder)
    if last.action == PUSH and named in (None, last.before) and is_whole(folder / last.after):
        _finish(folder, last.after)
    elif named == last.after:
        _mark_done(folder)


def _begin(folder: Path, action: str, before: str | None, after: str) -> None:
    change = AliasChange(action, before, after, time.time())
    _write_history(folder, [*read_alias_history(folder), change])


def _finish(folder: Path, number: str) -> None:
    set_alias(folder, number)
    _mark_done(folder)


def _mark_done(folder: Path) -> None:
    changes = read_alias_history(folder)
    if changes:
        _write_history(folder, [*changes[:-1], dataclasses.replace(changes[-1], done=True)])


def _write_history(folder: Path, changes: Sequence[AliasChange]) -> None:
    """Replaces the history in one step."""
    file = folder / KEPT / HISTORY_FILE
    file.parent.mkdir(exist_ok=True)
    entries = [dataclasses.asdict(change) for change in changes[-_MOST_CHANGES:]]
    write_file(file, json.dumps(entries, indent=1) + "\n")


def _relocate(source: Path, target: Path) -> None:
    """Moves a version in one step; in a store file by file, complete in one folder at any time.

    If a copy in a store was interrupted, the same call makes it again.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, RemotePath):
        copy_tree(source, target)
        remove_tree(source)
    else:
        os.rename(source, target)


def _name(version: Path | None) -> str | None:
    return version.name if version is not None else None


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
