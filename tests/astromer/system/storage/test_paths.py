"""What a path is: here, in a store, or neither."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import astromer
from astromer.system.errors import UsageError
from astromer.system.storage import as_path, local_path
from tests.astromer.system.storage import path_checks
from tests.astromer.system.storage.path_checks import REMOTE, check_parts, check_text
from tests.test_install import ROOT, find_python

PACKAGES = Path(astromer.__file__).parents[1]


@pytest.mark.parametrize("text", REMOTE)
def test_a_remote_path_keeps_its_text(text: str) -> None:
    check_text(text)


def test_parts_of_a_remote_path() -> None:
    check_parts()


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_newer_pythons_have_the_same_paths(version: str) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"needs Python {version}")
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{PACKAGES}"}
    done = subprocess.run([python, path_checks.__file__], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "local"),
    [("folder/a", "folder/a"), ("/a:b//c", "/a:b/c"), ("file:///a/b", "/a/b"), ("~/a", "~/a")],
)
def test_a_local_path_is_a_plain_one(text: str, local: str) -> None:
    path = as_path(text)
    assert type(path) is type(Path())
    assert path == Path(local)


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
        "from astromer.system.storage import make_folder;"
        "assert not as_path('/nowhere').exists(); as_path('gs://b/x');"
        "assert 'tensorflow' not in sys.modules"
    )
    done = toy.python("-c", code)
    assert done.returncode == 0, done.stderr
