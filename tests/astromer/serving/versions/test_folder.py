"""Which version a path means."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from astromer.serving.versions import folder as aliases
from astromer.serving.versions.folder import (
    alias,
    find_version,
    latest_version,
    newest,
    set_alias,
    versions,
)
from astromer.system.errors import ModelError, UsageError


def test_without_an_alias_it_is_the_newest_by_number(tmp_path: Path) -> None:
    for name in ("2", "10", "11", "notes", "9.tmp"):
        (tmp_path / name).mkdir()
    for name in ("2", "10", "notes", "9.tmp"):
        (tmp_path / name / "saved_model.pb").touch()
    (tmp_path / "99").touch()
    assert [path.name for path in versions(tmp_path)] == ["2", "10"]
    assert latest_version(tmp_path) == tmp_path / "10"
    assert latest_version(tmp_path / "2") == tmp_path / "2"
    assert newest(tmp_path / "missing") is None


def test_a_folder_without_versions_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds none"):
        latest_version(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        latest_version(tmp_path / "nowhere")


def test_the_alias_counts_and_a_number_counts_more(pushed, place) -> None:
    folder = pushed(place)
    set_alias(folder, "2")
    assert latest_version(folder) == find_version(folder) == folder / "2"
    assert find_version(folder, 3) == folder / "3"
    with pytest.raises(ModelError, match="version 7 of .*which has 1, 2, 3"):
        find_version(folder, 7)


def test_the_alias_itself_means_the_version_by_its_number(pushed, place) -> None:
    folder = pushed(place)
    set_alias(folder, "2")
    assert latest_version(folder / "latest") == folder / "2"


def test_an_alias_of_a_version_that_is_gone_is_told_instead_of_another_one(pushed, place) -> None:
    folder = pushed(place)
    set_alias(folder, "2")
    (folder / "2" / "saved_model.pb").unlink()
    with pytest.raises(ModelError, match="Received: 2 in .*promote"):
        latest_version(folder)


def test_a_savedmodel_that_is_called_latest_is_one(tmp_path: Path, pushed) -> None:
    folder = pushed(tmp_path / "serving", 1)
    shutil.copytree(folder / "1", tmp_path / "latest")
    assert latest_version(tmp_path / "latest") == tmp_path / "latest"


def test_it_is_a_relative_link_that_survives_a_move_of_the_folder(pushed, tmp_path) -> None:
    folder = pushed(tmp_path / "serving")
    set_alias(folder, "2")
    assert os.readlink(folder / "latest") == "2"
    moved = folder.rename(tmp_path / "elsewhere")
    assert (moved / "latest" / "saved_model.pb").read_text() == "2"


def test_in_a_store_it_is_a_file_with_the_number(pushed, store) -> None:
    folder = pushed(store / "serving")
    set_alias(folder, "2")
    assert (folder / "latest").read_text() == "2\n"
    assert alias(folder) == "2"


def test_where_there_are_no_links_it_is_a_file(pushed, tmp_path, monkeypatch) -> None:
    folder = pushed(tmp_path / "serving")

    def refuse(*arguments: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(aliases.os, "symlink", refuse)
    for number in ("2", "1"):
        set_alias(folder, number)
        assert not (folder / "latest").is_symlink()
        assert alias(folder) == number
    monkeypatch.undo()
    set_alias(folder, "3")  # a file gives way to a link
    assert (folder / "latest").is_symlink()


@pytest.mark.parametrize("text", ["", "two", "../2", "2/3", "\N{SUPERSCRIPT TWO}", "9" * 100])
def test_what_is_no_number_is_told(pushed, tmp_path, text) -> None:
    folder = pushed(tmp_path / "serving", 1)
    (folder / "latest").unlink()
    (folder / "latest").write_text(text)
    with pytest.raises(ModelError, match="latest must hold the number of a version.*promote"):
        alias(folder)


def test_a_copy_of_the_link_s_target_is_told(pushed, tmp_path: Path) -> None:
    """As ``scp -r`` makes it."""
    folder = pushed(tmp_path / "serving", 1)
    (folder / "latest").unlink()
    (folder / "latest").mkdir()
    with pytest.raises(ModelError, match="neither.*Remove it"):
        alias(folder)
    with pytest.raises(UsageError, match="Remove it"):
        set_alias(folder, "1")
