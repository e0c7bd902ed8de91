"""What a database answers to runs that start at once is waited for; the rest is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store

from astromer.system.errors import MetadataError
from pipeline.local import metadata_connection
from pipeline.local.metadata_connection import open_store
from pipeline.local.metadata_database import metadata_database


@pytest.mark.parametrize(
    "answer",
    [
        "mysql_query failed: errno: 1213, error: Deadlock found when trying to get lock",
        "ERROR:  deadlock detected",
        "Table 'Type' already exists",
        "Aborted: concurrent writes",
    ],
)
def test_another_run_that_makes_the_tables_is_waited_for(tmp_path: Path, monkeypatch, answer):
    refusals = [answer, answer]

    def connect(config):
        if refusals:
            raise RuntimeError(refusals.pop())
        return config

    monkeypatch.setattr(metadata_store, "MetadataStore", connect)
    monkeypatch.setattr(metadata_connection.time, "sleep", lambda seconds: None)
    file = tmp_path / "metadata.db"
    connected = open_store(metadata_database(f"sqlite:///{file}", tmp_path, {}))
    assert connected.sqlite.filename_uri == str(file)
    assert refusals == []


def test_another_answer_is_told_at_once(tmp_path: Path, monkeypatch):
    asked = []

    def connect(config):
        asked.append(config)
        raise RuntimeError("disk I/O error")

    monkeypatch.setattr(metadata_store, "MetadataStore", connect)
    with pytest.raises(MetadataError, match="it says: disk I/O error"):
        open_store(metadata_database(f"sqlite:///{tmp_path}/metadata.db", tmp_path, {}))
    assert len(asked) == 1
