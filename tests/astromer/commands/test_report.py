from __future__ import annotations

import pytest

from astromer.commands.report import main
from astromer.system.errors import DataNotFoundError, ModelError, UsageError
from tests.pages import assert_self_contained
from tests.pipeline.folds import write_fold


@pytest.fixture
def arguments(served, tmp_path) -> list[str]:
    fold = write_fold(tmp_path / "fold")
    places = ["--model", str(served.parent), "--data", str(fold)]
    return [*places, "--out", str(tmp_path / "out"), "--report-classes", "0"]


@pytest.mark.slow
def test_a_pushed_model_and_a_fold_make_a_page_that_replaces_an_older_one(
    arguments, tmp_path, capsys
) -> None:
    page = tmp_path / "out" / "index.html"
    page.parent.mkdir()
    page.write_text("an older page")
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"report: {page}\n"
    assert_self_contained(page.read_text(encoding="utf-8"))


def test_mistakes_are_told_and_no_folder_is_overwritten(arguments, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").touch()
    with pytest.raises(UsageError, match="--out"):
        main(arguments)
    with pytest.raises(DataNotFoundError, match="--logs"):
        main([*arguments, "--logs", str(tmp_path / "none")])
    with pytest.raises(ModelError, match="SavedModel.*does not exist"):
        main([*arguments, "--model", str(tmp_path / "none")])
    with pytest.raises(UsageError, match="--report-windows"):
        main([*arguments, "--report-windows", "0"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]
