from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from astromer.serving.versions import folder as folders
from astromer.serving.versions.folder import set_alias
from astromer.serving.versions.promotion import promote, push_version, rollback
from components.pushed_version import (
    LatestBlessedModelOfOtherData,
    LatestOtherBlessedModel,
    PushedVersion,
)
from tests.components.conftest import artifact
from tests.components.test_pusher import saved_model


@pytest.fixture
def models(tmp_path) -> list[Any]:
    made = [artifact(standard_artifacts.Model, tmp_path / str(i)) for i in range(4)]
    for number, model in enumerate(made):
        model.id = 10 + number
    return made


def blessings(verdicts: dict[int, int]) -> list[Any]:
    made = []
    for model_id, blessed in verdicts.items():
        blessing = standard_artifacts.ModelBlessing()
        blessing.id = 100 + len(made)
        blessing.set_int_custom_property("current_model_id", model_id)
        blessing.set_int_custom_property("blessed", blessed)
        made.append(blessing)
    return made


def resolve(current: list[Any], models: list[Any], judged: list[Any]) -> list[Any]:
    found = LatestOtherBlessedModel().resolve_artifacts(
        None, {"current": current, "model": list(models), "model_blessing": judged}
    )
    assert found is not None
    assert found["current"] == current
    assert len(found["model"]) == len(found["model_blessing"])
    return found["model"]


def test_there_is_none_at_first(models):
    assert resolve(models[:1], models[:1], []) == []


def test_the_newest_blessed_model_is_taken_whatever_the_order(models):
    judged = blessings({10: 1, 11: 1, 12: 0})
    assert resolve([models[3]], models[::-1], judged) == [models[1]]


def test_the_run_s_own_model_is_passed_over_so_that_a_repeated_run_resolves_alike(models):
    first = resolve([models[1]], models[:2], blessings({10: 1}))
    again = resolve([models[1]], models[:2], blessings({10: 1, 11: 1}))
    assert first == again == [models[0]]


def test_a_model_whose_files_are_gone_is_passed_over(models, tmp_path):
    (tmp_path / "2").rmdir()
    assert resolve([models[3]], models, blessings({11: 1, 12: 1})) == [models[1]]


def test_for_drift_the_newest_model_of_other_data_counts(models):
    for model, data in zip(models, ("a", "b", "b", "c")):
        model.set_string_custom_property("data_fingerprint", data)
    judged = blessings({10: 1, 11: 1, 12: 1})

    def compared_with(data: str) -> list[Any]:
        examples = standard_artifacts.Examples()
        examples.set_string_custom_property("data_fingerprint", data)
        found = LatestBlessedModelOfOtherData().resolve_artifacts(
            None, {"current": [examples], "model": models, "model_blessing": judged}
        )
        assert found is not None
        return found["model"]

    assert compared_with("c") == [models[2]]
    # Model 11 or 12 may be what this very command has pushed before.
    assert compared_with("b") == [models[0]]


@pytest.fixture
def served(tmp_path, monkeypatch) -> tuple[Path, list[Any]]:
    """Three blessed models, pushed one after the other."""
    folder, models = tmp_path / "serving" / "astromer", []
    monkeypatch.setattr(folders.time, "time", lambda: 1)
    for number in range(1, 4):
        model = artifact(standard_artifacts.Model, tmp_path / "models" / str(number))
        model.id = number
        push_version(saved_model(Path(model.uri) / "Format-Serving", weights=str(number)), folder)
        models.append(model)
    return folder, models


def baseline(folder: Path, current: Any, models: list[Any]) -> list[int]:
    found = LatestOtherBlessedModel(str(folder)).resolve_artifacts(
        None,
        {
            "current": [current],
            "model": models,
            "model_blessing": blessings({model.id: 1 for model in models}),
        },
    )
    return [model.id for model in found["model"]]


def test_a_new_model_is_compared_with_what_users_get(served, tmp_path):
    folder, models = served
    new = artifact(standard_artifacts.Model, tmp_path / "models" / "4")
    new.id = 4
    assert baseline(folder, new, models) == [3]
    rollback(folder)
    assert baseline(folder, new, models) == [2]
    promote(folder, "1")
    assert baseline(folder, new, models) == [1]


def test_what_users_get_is_compared_with_what_they_got_before(served):
    """As when the command that pushed it is given again."""
    folder, models = served
    assert baseline(folder, models[2], models) == [2]
    promote(folder, "1")
    assert baseline(folder, models[0], models) == [3]


def test_a_model_that_was_withdrawn_judges_none(served):
    folder, models = served
    promote(folder, "1", withdraw_newer=True)
    (folder / ".versions" / "history.json").unlink()
    assert baseline(folder, models[0], models) == []


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
