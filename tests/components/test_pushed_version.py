from __future__ import annotations

from pathlib import Path

from tfx.types import standard_artifacts

from astromer.serving.versions.alias import set_alias
from components.pushed_version import PushedVersion
from tests.components.conftest import artifact


def look_up(serving: Path, folder: Path) -> Path:
    model = artifact(standard_artifacts.Model, folder)
    PushedVersion.test_call(folder=str(serving), model=model)
    return Path(model.uri)


def test_the_version_that_users_get_is_copied(tmp_path):
    for version in ("9", "10"):
        (tmp_path / "serving" / version).mkdir(parents=True)
        (tmp_path / "serving" / version / "saved_model.pb").write_text(version)
    model = look_up(tmp_path / "serving", tmp_path / "model")
    assert (model / "Format-Serving" / "saved_model.pb").read_text() == "10"
    set_alias(tmp_path / "serving", "9")
    model = look_up(tmp_path / "serving", tmp_path / "other")
    assert (model / "Format-Serving" / "saved_model.pb").read_text() == "9"


def test_where_nothing_has_been_pushed_the_artifact_is_empty(tmp_path):
    model = look_up(tmp_path / "serving", tmp_path / "model")
    assert list(model.iterdir()) == []
