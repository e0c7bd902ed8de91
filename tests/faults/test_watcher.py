"""The watcher sees what a model server would see."""

from __future__ import annotations

import shutil

import pytest

from astromer.versions.folder import newest
from astromer.versions.publishing import publish
from faults import watcher
from faults.watcher import View


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names by which models are loaded, instead of loading them."""
    names: list[str] = []

    def answer(path):
        names.append(path.name)
        if not (path / "saved_model.pb").exists():
            raise OSError("no such model")

    monkeypatch.setattr(watcher, "answer", answer)
    return names


def test_versions_are_loaded_when_they_change_by_number_and_by_alias(place, asked, tmp_path):
    view = View(place)
    first = newest(place.serving)
    view.look()
    view.look()
    assert asked == ["latest"]
    second = publish(tmp_path / "model", place.serving)
    view.look()
    assert asked == ["latest", second.name]

    seen = view.take()
    assert (seen.looks, seen.loads, seen.transitions) == (3, 2, 1)
    assert seen.failures == []
    assert first != second
    assert view.take().looks == 0


def test_a_version_that_is_copied_file_by_file_is_a_failure(place, asked):
    view = View(place)
    view.look()
    (place.serving / "2000000000").mkdir()
    view.look()
    failures = view.take().failures
    assert any("has no checksums" in failure for failure in failures)
    assert any("does not load" in failure for failure in failures)


def test_a_missing_file_and_a_missing_alias_are_failures(place, asked):
    view = View(place)
    (newest(place.serving) / "variables" / "variables.index").unlink()
    (place.serving / "latest").unlink()
    view.look()
    failures = view.take().failures
    assert any("lacks variables/variables.index" in failure for failure in failures)
    assert any("no latest" in failure for failure in failures)


def test_an_empty_folder_is_a_failure_and_a_missing_one_is_not(place, asked):
    view = View(place)
    shutil.rmtree(newest(place.serving))
    view.look()
    assert view.take().failures[:1] == ["watcher: no version is served"]
    shutil.rmtree(place.serving)
    view.look()
    assert view.take().failures == []
