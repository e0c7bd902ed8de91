"""--metadata: what it takes, what it refuses, and that a password is never shown."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from astromer.system.errors import MetadataError, UsageError
from pipeline.local.failures import refuse_cluster
from pipeline.local.metadata import (
    MetadataDatabase,
    check_sound,
    metadata_database,
    pipeline_name,
    set_aside_orphans,
)
from tests.components.cluster_jobs import free_addresses

ROOT = Path(__file__).resolve().parents[3]
OUTPUT = Path("/work/outputs")
SECRET = "s3cret"


def database(url: str, **environment: str) -> MetadataDatabase:
    return metadata_database(url, OUTPUT, environment)


def test_the_default_is_a_file_in_the_output_folder():
    assert database("") == MetadataDatabase("sqlite", "/work/outputs/metadata/metadata.sqlite")
    assert not database("").is_server


def test_servers_are_taken_apart():
    found = database("postgresql://ann:p%40ss%2F@db.example:6543/lineage?sslmode=require")
    assert (found.scheme, found.host, found.port) == ("postgresql", "db.example", 6543)
    assert (found.user, found.password, found.name) == ("ann", "p@ss/", "lineage")
    assert found.options == {"sslmode": "require"}
    assert database("postgres://ann@h/d").port == 5432
    found = database("mariadb://ann@localhost/d")
    assert (found.scheme, found.host, found.port) == ("mysql", "127.0.0.1", 3306)


def test_files_are_relative_or_absolute():
    assert database("sqlite:////tmp/a.sqlite").name == "/tmp/a.sqlite"
    assert database("sqlite:///a.sqlite").name == str(Path.cwd() / "a.sqlite")


def test_the_password_comes_from_the_url_or_the_environment_and_is_never_shown():
    environment = {"PGPASSWORD": SECRET, "MYSQL_PWD": "other"}
    found = database("postgresql://ann@h/d", **environment)
    assert found.password == SECRET
    assert database("mysql://ann@h/d", **environment).password == "other"
    assert database("postgresql://ann:own@h/d", **environment).password == "own"
    assert SECRET not in f"{found} {found!r}"
    assert str(found) == "postgresql://ann@h:5432/d"
    assert found.masked(f"no {SECRET} here") == "no *** here"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("oracle://ann:s3cret@h/d", "'oracle'"),
        ("metadata.sqlite", "without a scheme"),
        ("postgresql://ann:s3cret@h", "database"),
        ("postgresql://ann:s3cret@/d", "host"),
        ("postgresql://:s3cret@h/d", "user"),
        ("postgresql://ann:s3cret@h:port/d", "malformed"),
        ("postgresql://ann:s3cret/more@h/d", "%2F"),
        ("postgresql://ann:s3cret@h/d/e", "one database"),
        ("mysql://ann:s3cret@h/d?charset=utf8", "charset"),
        ("sqlite://a.sqlite", "three slashes"),
        ("sqlite:///", "three slashes"),
    ],
)
def test_what_is_no_database_is_refused_without_showing_a_password(url, said):
    with pytest.raises(UsageError, match="--metadata must") as caught:
        database(url)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_server_that_does_not_answer_is_named():
    (address,) = free_addresses(1)
    found = database(f"mysql://ann:{SECRET}@{address}/d")
    with pytest.raises(MetadataError, match="127.0.0.1") as caught:
        found.check_reachable()
    assert address.split(":")[1] in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("oracle://ann:s3cret@h/d", 2, "'oracle'"),
        ("postgresql://ann:s3cret@127.0.0.1:1/d", 11, "Nothing answers"),
    ],
)
@pytest.mark.parametrize("program", ["local_runner", "finetune_runner"])
def test_the_runners_answer_at_once(tmp_path, fold_folder, url, code, said, program):
    own = {"local_runner": [], "finetune_runner": ["--model", str(tmp_path), "--output", "out"]}
    (tmp_path / "saved_model.pb").touch()
    command = [sys.executable, str(ROOT / f"pipeline/{program}.py"), "--data", str(fold_folder)]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "--metadata", url, *own[program]],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert time.monotonic() - started < 10
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert SECRET not in done.stderr + done.stdout


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
def file_of_database(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(whole, tmp_path / "metadata.sqlite"))


def test_a_sound_one_and_none_are_sound(file_of_database: Path, tmp_path: Path) -> None:
    before = file_of_database.read_bytes()
    check_sound(file_of_database)
    check_sound(tmp_path / "nowhere.sqlite")
    assert file_of_database.read_bytes() == before
    assert not (tmp_path / "nowhere.sqlite").exists()


@pytest.mark.parametrize("size", [0, 10, 100, 4096, 5000, -1])
def test_one_that_is_cut_off_is_told(file_of_database: Path, size: int) -> None:
    content = file_of_database.read_bytes()
    file_of_database.write_bytes(content[:size] if size >= 0 else content[: len(content) // 2])
    with pytest.raises(MetadataError, match=r"must be whole.*metadata\.sqlite.*move it away"):
        check_sound(file_of_database)


def test_flipped_bits_never_raise_anything_else(file_of_database: Path) -> None:
    content = file_of_database.read_bytes()
    rng = random.Random(3)
    found = 0
    for _ in range(100):
        changed = bytearray(content)
        page = 4096 * rng.randrange(len(content) // 4096)  # headers of pages, mostly
        place = (page + rng.randrange(12)) * 8 + rng.randrange(8)
        changed[place // 8] ^= 1 << place % 8
        file_of_database.write_bytes(changed)
        try:
            check_sound(file_of_database)
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


def test_artifacts_without_metadata_are_set_aside(file_of_database: Path, tmp_path: Path) -> None:
    root = tmp_path / "pipeline"
    assert set_aside_orphans(tmp_path / "gone.sqlite", root) is None
    (root / "FoldExampleGen").mkdir(parents=True)
    assert set_aside_orphans(file_of_database, root) is None
    assert set_aside_orphans(tmp_path / "gone.sqlite", root) == tmp_path / "pipeline.orphaned-1"
    assert (tmp_path / "pipeline.orphaned-1" / "FoldExampleGen").is_dir()
    (root / "FoldExampleGen").mkdir(parents=True)
    assert set_aside_orphans(tmp_path / "gone.sqlite", root) == tmp_path / "pipeline.orphaned-2"


def test_a_folder_keeps_its_name_and_no_other_has_it(tmp_path: Path) -> None:
    names = [pipeline_name("astromer", tmp_path / folder) for folder in ("a", "b", "a")]
    assert names[0] == names[2] != names[1]
    assert all(name.startswith("astromer-") for name in names)


def test_a_folder_that_comes_back_is_another_one(tmp_path: Path) -> None:
    first = pipeline_name("astromer", tmp_path)
    (tmp_path / "metadata/pipeline_id").unlink()
    assert pipeline_name("astromer", tmp_path) != first


def test_a_runner_in_a_cluster_would_run_once_for_each_worker(monkeypatch: pytest.MonkeyPatch):
    refuse_cluster("runner.py")
    monkeypatch.setenv(
        "TF_CONFIG",
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}',
    )
    with pytest.raises(UsageError, match=r"runner.py runs in one process.*cluster of 2"):
        refuse_cluster("runner.py")
