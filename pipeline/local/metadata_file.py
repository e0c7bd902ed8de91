"""The metadata's SQLite file: whether it is sound, and what becomes of artifacts without one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from astromer.system.errors import MetadataError, is_refused
from astromer.system.storage import RemotePath
from astromer.system.text import brief

_TABLE = "MLMDEnv"
"""Every database of ML Metadata has it."""


def check_sound(file: Path) -> None:
    """Looks at all pages and indexes of a database. One that is not there yet is sound.

    Raises:
        MetadataError: it is damaged, or is none of ML Metadata.
    """
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if is_refused(error):
            raise
        raise _damaged(file, brief(error)) from error
    if found != ["ok"]:
        raise _damaged(file, found[0].strip().splitlines()[-1])
    if _TABLE not in tables:
        raise _damaged(file, "it has no tables of ML Metadata" if tables else "it is empty")


def _damaged(file: Path, what: str) -> MetadataError:
    return MetadataError(
        f"the metadata database must be whole. Received: {file}: {what.rstrip('.')}. Put a copy of "
        "it back, or move it away: versions and trainings stay, lineage and the cache begin anew "
        "(docs/metadata.md)."
    )


def set_aside_orphans(file: Path, root: Path) -> Path | None:
    """Moves artifacts aside whose database is gone.

    A new database numbers artifacts from 1 again. What lies in their folders would be taken for a
    part of theirs, records of another survey for instance.

    Args:
        file: the database.
        root: folder of the artifacts.

    Returns:
        Where they lie now; None where there was nothing to move.
    """
    if isinstance(root, RemotePath):
        return None  # a store renames no folders
    if file.exists() or not root.is_dir() or not any(root.iterdir()):
        return None
    number = 1
    while (place := root.with_name(f"{root.name}.orphaned-{number}")).exists():
        number += 1
    root.rename(place)
    return place
