"""A damaged database is told before anything is read from it; artifacts without one move aside."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from astromer.system.errors import MetadataError
from pipeline.local.metadata_file import check_sound, set_aside_orphans


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("metadata") / "whole database.sqlite"
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(file)
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    store = metadata_store.MetadataStore(config)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Examples"))
    artifacts = [metadata_store_pb2.Artifact(type_id=kind, uri=f"/a/{n}") for n in range(99)]
    store.put_artifacts(artifacts)
    return file


@pytest.fixture
def database(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(whole, tmp_path / "metadata.sqlite"))


def test_a_sound_one_and_none_are_sound(database: Path, tmp_path: Path) -> None:
    before = database.read_bytes()
    check_sound(database)
    check_sound(tmp_path / "nowhere.sqlite")
    assert database.read_bytes() == before
    assert not (tmp_path / "nowhere.sqlite").exists()


@pytest.mark.parametrize("size", [0, 10, 100, 4096, 5000, -1])
def test_one_that_is_cut_off_is_told(database: Path, size: int) -> None:
    content = database.read_bytes()
    database.write_bytes(content[:size] if size >= 0 else content[: len(content) // 2])
    with pytest.raises(MetadataError, match=r"must be whole.*metadata\.sqlite.*move it away"):
        check_sound(database)


def test_flipped_bits_never_raise_anything_else(database: Path) -> None:
    content = database.read_bytes()
    rng = random.Random(3)
    found = 0
    for _ in range(100):
        changed = bytearray(content)
        page = 4096 * rng.randrange(len(content) // 4096)  # headers of pages, mostly
        place = (page + rng.randrange(12)) * 8 + rng.randrange(8)
        changed[place // 8] ^= 1 << place % 8
        database.write_bytes(changed)
        try:
            check_sound(database)
        except MetadataError:
            found += 1
    assert found > 30


def test_a_database_of_something_else_is_told(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "other.sqlite") as connection:
        connection.execute("CREATE TABLE stars (id)")
    connection.close()
    with pytest.raises(MetadataError, match="no tables of ML Metadata"):
        check_sound(tmp_path / "other.sqlite")


def test_artifacts_without_metadata_are_set_aside(database: Path, tmp_path: Path) -> None:
    root = tmp_path / "pipeline"
    assert set_aside_orphans(tmp_path / "gone.sqlite", root) is None
    (root / "FoldExampleGen").mkdir(parents=True)
    assert set_aside_orphans(database, root) is None
    assert set_aside_orphans(tmp_path / "gone.sqlite", root) == tmp_path / "pipeline.orphaned-1"
    assert (tmp_path / "pipeline.orphaned-1" / "FoldExampleGen").is_dir()
    (root / "FoldExampleGen").mkdir(parents=True)
    assert set_aside_orphans(tmp_path / "gone.sqlite", root) == tmp_path / "pipeline.orphaned-2"
