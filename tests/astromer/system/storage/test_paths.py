"""What a path is: here, in a store, or neither."""

from __future__ import annotations

import copy
import os
import pickle
import sys
from pathlib import Path

import pytest

from astromer.system.errors import UsageError
from astromer.system.storage import RemotePath, as_path, is_remote, local_path

REMOTE = ("gs://bucket/folder/file.txt", "s3://bucket", "hdfs://name:9000/user/x", "hdfs:///user/x")


@pytest.mark.parametrize("text", REMOTE)
def test_a_remote_path_keeps_its_text(text: str) -> None:
    path = as_path(text)
    assert str(path) == text
    assert str(path / "a" / "b") == f"{text}/a/b"
    assert (path / "a").parent == path
    for other in (pickle.loads(pickle.dumps(path)), copy.deepcopy(path), as_path(path)):
        assert type(other) is RemotePath
        assert str(other) == text


@pytest.mark.parametrize(
    ("text", "local"),
    [("folder/a", "folder/a"), ("/a:b//c", "/a:b/c"), ("file:///a/b", "/a/b"), ("~/a", "~/a")],
)
def test_a_local_path_is_a_plain_one(text: str, local: str) -> None:
    path = as_path(text)
    assert not is_remote(text)
    assert type(path) is type(Path())
    assert path == Path(local)


def test_parts_of_a_remote_path() -> None:
    path = as_path("gs://bucket/a/b.tar.gz")
    assert (path.name, path.suffix, path.scheme) == ("b.tar.gz", ".gz", "gs")  # type: ignore[attr-defined]
    assert str(path.with_name("c")) == "gs://bucket/a/c"
    assert path.relative_to(as_path("gs://bucket")).as_posix() == "a/b.tar.gz"
    assert not path.is_relative_to(Path.cwd())
    assert str(as_path("hdfs:///a/../b").resolve()) == "hdfs:///b"
    assert str(as_path("gs://a/../b").resolve()) == "gs://a/b"  # not the bucket b
    assert str(as_path("hdfs:///../..").resolve()) == str(as_path("hdfs:///"))
    assert path.expanduser().absolute() == path


@pytest.mark.parametrize("use", [open, os.listdir, os.makedirs, os.stat, os.remove])
def test_what_expects_a_local_path_refuses_a_remote_one(use, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match="not on this machine"):
        use(as_path("gs://bucket/folder"))
    assert list(tmp_path.iterdir()) == []


def test_what_must_be_here_is_asked_for() -> None:
    assert local_path("a", "--config") == Path("a")
    with pytest.raises(UsageError, match="--config must be on this machine"):
        local_path("gs://bucket/config.toml", "--config")


def test_a_missing_file_system_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    with pytest.raises(UsageError, match=r"s3:// needs .*pip install tensorflow-io=="):
        as_path("s3://bucket/fold").exists()
    with pytest.raises(UsageError, match="cloud://") as told:
        as_path("cloud://bucket").is_dir()
    assert "gs://" in str(told.value)
    assert "tensorflow-io" not in str(told.value)


def test_local_paths_load_no_tensorflow(toy) -> None:
    code = (
        "import sys; from astromer.system.storage import as_path;"
        "from astromer.system.atomic import make_folder;"
        "assert not as_path('/nowhere').exists(); as_path('gs://b/x');"
        "assert 'tensorflow' not in sys.modules"
    )
    done = toy.python("-c", code)
    assert done.returncode == 0, done.stderr
