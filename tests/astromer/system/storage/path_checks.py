"""What a remote path is without its store: run by the tests, and as a file by other Pythons."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path, PurePosixPath

from astromer.system.storage import RemotePath, as_path

REMOTE = ("gs://bucket/folder/file.txt", "s3://bucket", "hdfs://name:9000/user/x", "hdfs:///user/x")


def check_text(text: str) -> None:
    path = as_path(text)
    assert str(path) == text
    assert path.as_posix() == text
    assert str(path / "a" / "b") == f"{text}/a/b"
    assert str(path.joinpath("a", "b")) == f"{text}/a/b"
    assert (path / "a").parent == path
    assert path in (path / "a" / "b").parents
    assert str(path.parents[-1]) == "."
    for other in (pickle.loads(pickle.dumps(path)), copy.deepcopy(path), as_path(path)):
        assert type(other) is RemotePath
        assert str(other) == text
        assert other == path
        assert hash(other) == hash(path)


def check_parts() -> None:
    path = as_path("gs://bucket/a/b.tar.gz")
    assert isinstance(path, RemotePath)
    assert (path.name, path.stem, path.suffix, path.scheme) == ("b.tar.gz", "b.tar", ".gz", "gs")
    assert str(path.with_name("c")) == "gs://bucket/a/c"
    assert str(path.with_suffix(".xz")) == "gs://bucket/a/b.tar.xz"
    assert path.relative_to(as_path("gs://bucket")).as_posix() == "a/b.tar.gz"
    assert path.is_relative_to(as_path("gs://bucket"))
    assert not path.is_relative_to(Path.cwd())
    assert str(as_path("hdfs:///a/../b").resolve()) == "hdfs:///b"
    assert str(as_path("gs://a/../b").resolve()) == "gs://a/b"  # not the bucket b
    assert str(as_path("hdfs:///../..").resolve()) == str(as_path("hdfs:///"))
    assert path.expanduser().absolute() == path
    assert path.is_absolute()
    assert str(path / PurePosixPath("x/y")) == f"{path}/x/y"
    assert sorted([path / "b", path / "a"]) == [path / "a", path / "b"]
    try:
        os.stat(path)
    except TypeError:
        return
    raise AssertionError("a remote path was taken for a local one")


if __name__ == "__main__":
    for each in REMOTE:
        check_text(each)
    check_parts()
