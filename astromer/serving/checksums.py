"""SHA-256 of every file of a pushed model, in the form that ``sha256sum -c`` reads."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from astromer.system.errors import DamagedVersionError
from astromer.system.storage import MODEL_FILE, files_in
from astromer.system.untrusted_files import read_text

CHECKSUMS_FILE = "checksums.txt"
WHOLE, DAMAGED, UNVERIFIED = "whole", "damaged", "no checksums"

_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Differences:
    """Files of a version that differ from those that were pushed.

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
        """Whether a file that was pushed has changed or is missing."""
        return bool(self.changed or self.missing)

    def __str__(self) -> str:
        parts = {"changed": self.changed, "missing": self.missing, "added": self.added}
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names)


def write_checksums(version: Path) -> None:
    """Writes ``checksums.txt`` into a folder, with a line for each other file."""
    lines = [
        _line(digest(version / file), file.as_posix())
        for file in files_in(version)
        if file.as_posix() != CHECKSUMS_FILE
    ]
    (version / CHECKSUMS_FILE).write_text("".join(lines), encoding="utf-8")


def verify(version: Path) -> Differences | None:
    """Compares the files of a version with its checksums.

    Returns:
        What differs; None if there are no checksums, as in versions of earlier releases.

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
    names = {file.as_posix() for file in files_in(version)} - {CHECKSUMS_FILE}
    added = sorted(names - expected.keys())
    for name in added:
        if name == MODEL_FILE or name.startswith("variables/variables."):
            raise _unreadable(version, f"it is truncated: {name} is not in it")
    both = sorted(names & expected.keys())
    return Differences(
        tuple(name for name in both if not _has_digest(version / name, expected[name])),
        tuple(sorted(expected.keys() - names)),
        tuple(added),
    )


def digest(file: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    sha256 = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha256.update(block)
    return sha256.hexdigest()


def condition(version: Path) -> tuple[str, str]:
    """WHOLE, DAMAGED or UNVERIFIED, and what differs. Added files are no damage."""
    try:
        differences = verify(version)
    except DamagedVersionError as error:
        return DAMAGED, str(error)
    if differences is None:
        return UNVERIFIED, ""
    return DAMAGED if differences.is_damage else WHOLE, str(differences)


def check_undamaged(version: Path) -> Differences | None:
    """Checks that no file of a version has changed or is missing.

    Returns:
        As :func:`verify`.

    Raises:
        DamagedVersionError: naming the files.
    """
    differences = verify(version)
    if differences is not None and differences.is_damage:
        raise DamagedVersionError(
            f"A version's files must be those that were pushed. Received: {version}; "
            f"{differences}. Copy it again from where it is whole, or push the model again."
        )
    return differences


def _has_digest(file: Path, expected: str) -> bool:
    try:
        return digest(file) == expected
    except OSError:
        return False  # a disk error, or no permission


def _line(sha256: str, name: str) -> str:
    """A line as ``sha256sum`` writes it, which escapes backslashes and line breaks."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{sha256}  {escaped}\n"


def _parse(version: Path, text: str) -> dict[str, str]:
    found = {}
    for line in text.removesuffix("\n").split("\n"):
        match = _LINE.fullmatch(line)
        if not match:
            raise _unreadable(version, f"the line {line[:80]!r} is not one")
        name = match[3]
        if match[1]:
            name = re.sub(r"\\(.)", lambda at: {"n": "\n", "r": "\r"}.get(at[1], at[1]), name)
        found[name] = match[2]
    return found


def _unreadable(version: Path, reason: str) -> DamagedVersionError:
    return DamagedVersionError(
        f"{CHECKSUMS_FILE} must have lines of a SHA-256 and a file name. "
        f"{version / CHECKSUMS_FILE} cannot be read ({reason}). Push the model again, or copy the "
        "version again from where it is whole."
    )
