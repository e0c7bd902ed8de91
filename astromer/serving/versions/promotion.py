"""Moves of the alias: pushed, promoted, rolled back. Each holds the folder's lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from astromer.serving.versions.alias import alias, set_alias
from astromer.serving.versions.folder import KEPT, LATEST, WITHDRAWN, is_whole, newest, versions
from astromer.serving.versions.history import (
    PROMOTE,
    PUSH,
    ROLLBACK,
    begin,
    earlier,
    mark_done,
    read_history,
)
from astromer.serving.versions.withdrawal import bring_back, withdraw
from astromer.system.errors import ModelError
from astromer.system.storage.lock import locked
from astromer.system.text import shell_word

_WAIT = 120.0  # seconds for another process that pushes or promotes


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder of versions, and settles what a killed process has left.

    Raises:
        UsageError: the folder cannot be written.
        OutputLockedError: another process held it for two minutes.
    """
    with locked(folder / KEPT, "--model", _WAIT):
        _settle(folder)
        yield


def current(folder: Path) -> Path | None:
    """The version that users get: that of the alias, else the newest; None where there is none.

    An alias that names a version which is gone counts as none, so that it can be mended.
    """
    number = alias(folder)
    if number is not None and is_whole(folder / number):
        return folder / number
    return newest(folder)


@contextmanager
def following(folder: Path, number: str) -> Iterator[None]:
    """Lets the alias go along with a version that appears in the block. The folder is locked.

    The alias stays where it is if it names another version than the newest, as it does after a
    rollback: what was chosen by hand stays chosen.

    Args:
        folder: the folder of versions.
        number: of the version that will appear.
    """
    named = current(folder)
    if named != newest(folder):
        yield
        return
    begin(folder, PUSH, _name(named), number)
    yield
    set_alias(folder, number)
    mark_done(folder)


def promote(folder: Path, number: str, *, withdraw_newer: bool = False) -> list[str]:
    """Makes ``latest`` name a version. Whether it is sound is the caller's to check before.

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
        _move(folder, PROMOTE, number)
        return _withdraw_above(folder, number) if withdraw_newer else []


def rollback(folder: Path, *, withdraw_newer: bool = False) -> tuple[str, list[str]]:
    """Makes ``latest`` name the version that it named before.

    Returns:
        The number of the version, and numbers that were withdrawn.

    Raises:
        ModelError: nothing that is still there was named before.
    """
    with changing(folder):
        there = earlier_versions(folder)
        if not there:
            raise ModelError(
                f"A rollback needs a version that {LATEST} named before and that is still there. "
                f"{folder} has none. Choose one: astromer versions promote VERSION "
                f"--model {shell_word(folder)}; there is {_listed(folder)}."
            )
        number = there[0].name
        _move(folder, ROLLBACK, number)
        return number, _withdraw_above(folder, number) if withdraw_newer else []


def restore(folder: Path, number: str) -> None:
    """Brings back a version that was withdrawn. The alias stays where it is.

    Raises:
        ModelError: there is no such version.
    """
    with changing(folder):
        bring_back(folder, number)


def earlier_versions(folder: Path) -> list[Path]:
    """The versions that users got before the current one and that are still there, latest first."""
    named = current(folder)
    numbers = earlier(read_history(folder), _name(named))
    found = [folder / number for number in dict.fromkeys(numbers)]
    return [version for version in found if version != named and is_whole(version)]


def versions_of_users(folder: Path) -> list[Path]:
    """The version that users get, then those that they got before and that are still there."""
    named = current(folder)
    return [named, *earlier_versions(folder)] if named is not None else []


def _move(folder: Path, action: str, number: str) -> None:
    before = current(folder)
    begin(folder, action, _name(before), number)
    set_alias(folder, number)
    mark_done(folder)


def _withdraw_above(folder: Path, number: str) -> list[str]:
    above = [path.name for path in versions(folder) if int(path.name) > int(number)]
    for newer in reversed(above):  # servers never see one come back that is older than the next
        withdraw(folder, newer)
    return above


def _settle(folder: Path) -> None:
    """Ends a push that was killed after its version had appeared, and before the alias moved."""
    moves = read_history(folder)
    if not moves or moves[-1].done:
        return
    last, named = moves[-1], alias(folder)
    if last.action == PUSH and named in (None, last.before) and is_whole(folder / last.after):
        set_alias(folder, last.after)
        named = last.after
    if named == last.after:
        mark_done(folder)


def check_there(folder: Path, number: str) -> None:
    """Raises a ModelError that says where a version is, if it is not in service."""
    if is_whole(folder / number):
        return
    if is_whole(folder / WITHDRAWN / number):
        raise ModelError(
            f"A version must be in service to be promoted. Received: {number} of {folder}, which "
            "is "
            f"withdrawn. Bring it back: astromer versions restore {number} --model "
            f"{shell_word(folder)}"
        )
    raise ModelError(
        f"A version must be in the folder of versions. Received: version {number} of {folder}, "
        f"in which there is {_listed(folder)}."
    )


def _listed(folder: Path) -> str:
    return ", ".join(path.name for path in versions(folder)) or "none"


def _name(version: Path | None) -> str | None:
    return version.name if version is not None else None
