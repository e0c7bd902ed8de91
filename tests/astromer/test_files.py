from __future__ import annotations

from pathlib import Path

import pytest

from astromer.files import replace_folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model"
    with replace_folder(target) as partial:
        (partial / "a").write_text("new")
        assert not target.exists()
        assert partial.parent == target.parent
    assert contents(target) == {"a": "new"}
    assert [path.name for path in target.parent.iterdir()] == ["model"]


def test_an_old_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    with replace_folder(target) as partial:
        assert contents(target) == {"old": "old"}
        (partial / "new").write_text("new")
    assert contents(target) == {"new": "new"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_after_a_failure_the_old_folder_stays_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(error), replace_folder(target) as partial:
        (partial / "new").write_text("half")
        raise error
    assert contents(target) == {"old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_others_may_read_it(tmp_path: Path) -> None:
    with replace_folder(tmp_path / "model"):
        pass
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755
