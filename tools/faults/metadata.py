"""Orphans in the metadata store: what a killed run has claimed and never settled."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# States of ml_metadata.proto.metadata_store_pb2.Execution and Artifact.
_UNSETTLED = {1: "NEW", 2: "RUNNING"}
_PENDING, _LIVE = 1, 2
_EXECUTIONS = """
SELECT Execution.id, Type.name, last_known_state FROM Execution
JOIN Type ON Type.id = type_id ORDER BY Execution.id
"""


def damage(database: Path) -> list[str]:
    """What SQLite finds wrong with the file; a file that is not there yet is sound."""
    if not database.exists():
        return []
    try:
        with _opened(database) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.Error as error:
        return [f"damaged metadata: {error}"]
    return [f"damaged metadata: {line}" for line in found if line != "ok"]


def orphans(database: Path) -> list[str]:
    """Executions that never ended, artifacts that are pending, or live without their files."""
    found = []
    with _opened(database) as connection:
        for number, name, state in connection.execute(_EXECUTIONS):
            if state in _UNSETTLED:
                found.append(f"orphan claim: {name} {number} is {_UNSETTLED[state]}")
        for number, uri, state in connection.execute("SELECT id, uri, state FROM Artifact"):
            if state == _PENDING:
                found.append(f"orphan claim: artifact {number} is PENDING ({uri})")
            elif state == _LIVE and not Path(uri).exists():
                found.append(f"orphan claim: artifact {number} is LIVE without {uri}")
    return found


def live_uris(database: Path) -> set[str]:
    """Where the artifacts lie that count."""
    with _opened(database) as connection:
        rows = connection.execute("SELECT uri FROM Artifact WHERE state = ?", (_LIVE,))
        return {uri for (uri,) in rows}


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=30)
    try:
        yield connection
    finally:
        connection.close()
