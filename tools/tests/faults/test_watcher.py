"""The watcher sees what a model server would see."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from astromer.serving.versions.folder import newest
from astromer.serving.versions.promotion import push_version
from tools.faults.watcher import View, answer


class Loader:
    """Keeps the names by which models are loaded, instead of loading them."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, path: Path) -> str:
        self.names.append(path.name)
        return "" if (path / "saved_model.pb").exists() else "no such model"


@pytest.fixture
def asked() -> Loader:
    return Loader()


def test_versions_are_loaded_when_they_change_by_number_and_by_alias(place, asked, tmp_path):
    view = View(place, asked)
    first = newest(place.serving)
    view.look()
    view.look()
    assert asked.names == ["latest"]
    second = push_version(tmp_path / "model", place.serving)
    view.look()
    assert asked.names == ["latest", second.name]

    seen = view.take()
    assert (seen.looks, seen.loads, seen.transitions) == (3, 2, 1)
    assert seen.failures == []
    assert view.take().looks == 0

    shutil.rmtree(second)  # as a campaign does that puts back the state before
    (place.serving / "latest").unlink()
    (place.serving / "latest").symlink_to(first.name)
    view.look()
    assert view.take().transitions == 0


def test_a_version_that_is_copied_file_by_file_is_a_failure(place, asked):
    view = View(place, asked)
    view.look()
    (place.serving / "2000000000").mkdir()
    view.look()
    failures = view.take().failures
    assert any("has no checksums" in failure for failure in failures)
    assert any("does not load" in failure for failure in failures)


def test_a_missing_file_and_a_missing_alias_are_failures(place, asked):
    view = View(place, asked)
    (newest(place.serving) / "variables" / "variables.index").unlink()
    (place.serving / "latest").unlink()
    view.look()
    failures = view.take().failures
    assert any("lacks variables/variables.index" in failure for failure in failures)
    assert any("no latest" in failure for failure in failures)


def test_an_empty_folder_is_a_failure_and_a_missing_one_is_not(place, asked):
    view = View(place, asked)
    shutil.rmtree(newest(place.serving))
    view.look()
    assert view.take().failures[:1] == ["watcher: no version is served"]
    shutil.rmtree(place.serving)
    view.look()
    assert view.take().failures == []


def test_a_model_that_is_none_is_told(place):
    assert "Error" in answer(newest(place.serving))
