"""Whether a version is as it was pushed, in a word."""

from __future__ import annotations

from pathlib import Path

from astromer.serving.versions.checksums import Differences, verify
from astromer.system.errors import DamagedVersionError

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
        What :func:`astromer.serving.versions.checksums.verify` found otherwise.

    Raises:
        DamagedVersionError: naming the files.
    """
    found = verify(version)
    if found is not None and found.is_damage:
        raise DamagedVersionError(
            f"A version's files must be those that were pushed. Received: {version}; {found}. "
            "Copy it "
            "again from where it is whole, or push the model again."
        )
    return found
