"""SHA-256 of every file of a version, in the form that ``sha256sum -c`` reads."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from astromer.system.errors import DamagedVersionError
from astromer.system.storage.trees import MODEL_FILE, files_in
from astromer.system.untrusted_files import read_text

CHECKSUMS_FILE = "checksums.txt"
_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Differences:
    """Files of a version that are not as they were pushed.

    Attributes:
        changed, missing, added: paths from the version's folder, in order.
    """

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)

    @property
    def is_damage(self) -> bool:
        """Whether something that was pushed is no longer as it was; added files harm nothing."""
        return bool(self.changed or self.missing)

    def __str__(self) -> str:
        parts = {"changed": self.changed, "missing": self.missing, "added": self.added}
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names)


def write_checksums(version: Path) -> None:
    """Writes ``checksums.txt`` into a version's folder, with a line for each other file."""
    lines = [
        _line(digest(version / file), file.as_posix())
        for file in files_in(version)
        if file.as_posix() != CHECKSUMS_FILE
    ]
    (version / CHECKSUMS_FILE).write_text("".join(lines), encoding="utf-8")


def verify(version: Path) -> Differences | None:
    """Compares the files of a version with its checksums.

    Returns:
        What differs; None where there are no checksums, as in versions that were pushed before
        there were any.

    Raises:
        DamagedVersionError: the checksums cannot be read.
    """
    try:
        text = read_text(version / CHECKSUMS_FILE)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(version, error.__class__.__name__) from error
    expected = _parse(version, text)
    there = {file.as_posix() for file in files_in(version)} - {CHECKSUMS_FILE}
    for name in sorted(there - expected.keys()):  # nobody adds files of the model itself
        if name == MODEL_FILE or name.startswith("variables/variables."):
            raise _unreadable(version, f"it is cut off: {name} is not in it")
    return Differences(
        tuple(
            name
            for name in sorted(expected)
            if name in there and not _is_same(version, name, expected)
        ),
        tuple(sorted(expected.keys() - there)),
        tuple(sorted(there - expected.keys())),
    )


def digest(file: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _is_same(version: Path, name: str, expected: dict[str, str]) -> bool:
    try:
        return digest(version / name) == expected[name]
    except OSError:
        return False  # a bad disk, or a file that nobody may read


def _line(sum_of_file: str, name: str) -> str:
    """A name with a backslash or a line break is written as ``sha256sum`` writes it."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{sum_of_file}  {escaped}\n"


def _parse(version: Path, text: str) -> dict[str, str]:
    found = {}
    for line in text.removesuffix("\n").split("\n"):
        match = _LINE.fullmatch(line)
        if not match:
            raise _unreadable(version, f"the line {line[:80]!r} is none")
        name = match[3]
        if match[1]:
            name = re.sub(r"\\(.)", lambda at: {"n": "\n", "r": "\r"}.get(at[1], at[1]), name)
        found[name] = match[2]
    return found


def _unreadable(version: Path, reason: str) -> DamagedVersionError:
    return DamagedVersionError(
        f"{CHECKSUMS_FILE} must have lines of a SHA-256 and a file's name. "
        f"{version / CHECKSUMS_FILE} "
        f"cannot be read ({reason}). Push the model again, or copy the version again from where "
        "it is "
        "whole."
    )


WHOLE, DAMAGED, UNVERIFIED = "whole", "damaged", "no checksums"


def condition(version: Path) -> tuple[str, str]:
    """One of the words above, and what differs. Files that were added do not make a damage."""
    try:
        found = verify(version)
    except DamagedVersionError as error:
        return DAMAGED, str(error)
    if found is None:
        return UNVERIFIED, ""
    return DAMAGED if found.is_damage else WHOLE, str(found)


def check_whole(version: Path) -> Differences | None:
    """Raises where files of a version are changed or missing.

    Returns:
        What :func:`astromer.serving.checksums.verify` found otherwise.

    Raises:
        DamagedVersionError: naming the files.
    """
    found = verify(version)
    if found is not None and found.is_damage:
        raise DamagedVersionError(
            f"A version's files must be those that were pushed. Received: {version}; {found}. Copy "
            "it again from where it is whole, or push the model again."
        )
    return found
