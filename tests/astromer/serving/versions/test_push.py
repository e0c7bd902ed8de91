"""Versions appear whole, in order, with checksums, and the alias goes along."""

from __future__ import annotations

from pathlib import Path

import pytest

from astromer.serving.checksums import Differences, verify, write_checksums
from astromer.serving.versions import folder as folders
from astromer.serving.versions import promotion as publishing
from astromer.serving.versions.folder import alias, aliased, newest, versions
from astromer.serving.versions.promotion import (
    STAGING,
    promote,
    push_version,
    read_alias_history,
    rollback,
)
from astromer.system.errors import ModelError
from astromer.system.storage import copy_tree
from tests.astromer.conftest import saved_model


def test_numbers_rise_even_where_the_clock_stands_still_or_goes_back(
    tmp_path, place, monkeypatch
) -> None:
    model = saved_model(tmp_path / "model")
    names = []
    for now in (1000, 1000, 900, 5000):
        monkeypatch.setattr(folders.time, "time", lambda now=now: now)
        names.append(push_version(model, place).name)
    assert names == ["1000", "1001", "1002", "5000"]
    assert newest(place) == aliased(place) == place / "5000"


def test_a_number_that_was_withdrawn_is_not_given_again(tmp_path, pushed, place) -> None:
    folder = pushed(place)
    rollback(folder, withdraw_newer=True)
    assert push_version(saved_model(tmp_path / "model"), folder).name == "4"


def test_a_version_carries_every_file_and_checksums(tmp_path, place) -> None:
    model = saved_model(tmp_path / "model")

    def describe(copy: Path, number: str) -> None:
        (copy / "README.md").write_text(number)

    version = push_version(model, place, describe)
    assert (version / "assets.extra" / "weights.npz").read_text() == "graph"
    assert (version / "README.md").read_text() == version.name
    assert verify(version) == Differences()
    assert not (model / "README.md").exists()


def test_a_copy_that_fails_leaves_nothing_to_be_seen(tmp_path, monkeypatch) -> None:
    model, serving = saved_model(tmp_path / "model"), tmp_path / "serving" / "astromer"

    def half_a_copy(source: Path, target: Path, progress: object) -> None:
        target.mkdir(parents=True)
        (target / "saved_model.pb").touch()
        assert versions(serving) == []  # the watched folder shows nothing meanwhile
        raise OSError("disk full")

    monkeypatch.setattr(publishing, "copy_tree", half_a_copy)
    with pytest.raises(OSError, match="disk full"):
        push_version(model, serving)
    assert [path.name for path in serving.iterdir()] == [".versions"]
    assert list((tmp_path / "serving" / STAGING).iterdir()) == []
    assert alias(serving) is None


def test_a_version_in_a_store_is_none_before_it_is_whole(store, tmp_path, monkeypatch) -> None:
    model, serving = saved_model(tmp_path / "model"), store / "serving" / "astromer"
    seen = []

    def watched(source: Path, target: Path, progress: object) -> None:
        if str(target).startswith("ram:"):
            copy_tree(source / "variables", target / "variables")
            seen.append([path.name for path in versions(serving)])
        copy_tree(source, target)

    monkeypatch.setattr(publishing, "copy_tree", watched)
    monkeypatch.setattr(folders.time, "time", lambda: 1000)
    assert [push_version(model, serving).name for _ in range(2)] == ["1000", "1001"]
    assert seen == [[], ["1000"]]
    assert newest(serving) == serving / "1001"


def test_a_copy_to_a_store_that_fails_leaves_nothing(store, tmp_path, monkeypatch) -> None:
    model, serving = saved_model(tmp_path / "model"), store / "serving" / "astromer"

    def half_a_copy(source: Path, target: Path, progress: object) -> None:
        if str(target).startswith("ram:"):
            copy_tree(source / "variables", target / "variables")
            raise OSError("no more room")
        copy_tree(source, target)

    monkeypatch.setattr(publishing, "copy_tree", half_a_copy)
    with pytest.raises(OSError, match="no more room"):
        push_version(model, serving)
    assert [path.name for path in serving.iterdir()] == [".versions"]


def test_the_half_version_of_a_killed_run_is_passed_over(store, tmp_path, monkeypatch) -> None:
    model, serving = saved_model(tmp_path / "model"), store / "serving" / "astromer"
    copy_tree(model / "variables", serving / "2000" / "variables")
    monkeypatch.setattr(folders.time, "time", lambda: 1000)
    assert newest(serving) is None
    assert push_version(model, serving).name == "2001"
    assert newest(serving) == serving / "2001"


def test_the_alias_stays_where_it_was_put(tmp_path, pushed, place) -> None:
    folder = pushed(place)
    promote(folder, "1")
    version = push_version(saved_model(tmp_path / "model"), folder)
    assert aliased(folder) == folder / "1"
    promote(folder, version.name)
    assert aliased(push_version(saved_model(tmp_path / "next"), folder).parent) == folder / "5"


def test_an_alias_of_a_version_that_was_deleted_is_mended(tmp_path, pushed, place) -> None:
    folder = pushed(place, 1)
    (folder / "1" / "saved_model.pb").unlink()
    version = push_version(saved_model(tmp_path / "model"), folder)
    assert aliased(folder) == version


def test_a_push_that_was_killed_before_the_alias_moved_is_ended_by_the_next(
    tmp_path, pushed, place, monkeypatch
) -> None:
    folder = pushed(place, 1)

    class Killed(BaseException):
        pass

    def killed(*arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("astromer.serving.versions.promotion.set_alias", killed)
        with pytest.raises(Killed):
            push_version(saved_model(tmp_path / "model"), folder)
    assert aliased(folder) == folder / "1"
    assert newest(folder) == folder / "2"
    push_version(saved_model(tmp_path / "next"), folder)
    assert aliased(folder) == folder / "3"
    assert all(move.done for move in read_alias_history(folder))


@pytest.mark.parametrize("file", ["saved_model.pb", "assets.extra/weights.npz", "checksums.txt"])
def test_a_model_that_is_not_as_it_was_written_is_not_pushed(tmp_path, place, file) -> None:
    model = saved_model(tmp_path / "model")
    write_checksums(model)
    content = bytearray((model / file).read_bytes())
    content[0] ^= 0x80
    (model / file).write_bytes(content)
    with pytest.raises(ModelError, match=r"must be pushed as it was written.*model"):
        push_version(model, place)
    assert versions(place) == []
    assert not (place / "1").exists()
