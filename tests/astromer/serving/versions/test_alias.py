"""The alias is a relative link here and a file in a store, and nonsense in it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from astromer.serving.versions import alias as aliases
from astromer.serving.versions.alias import alias, set_alias
from astromer.system.errors import ModelError, UsageError


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
