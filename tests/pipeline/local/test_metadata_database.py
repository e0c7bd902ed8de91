"""--metadata: what it takes, what it refuses, and that a password is never shown."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from astromer.system.errors import MetadataError, UsageError
from pipeline.local.metadata_database import MetadataDatabase, metadata_database
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
