"""Versions appear whole, in order, and only for blessed models that are not yet served."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from astromer.serving.versions.folder import versions
from astromer.serving.versions.promotion import restore, rollback
from components.pusher.component import VersionPusher
from components.pusher.executor import Executor, same_model
from tests.components.conftest import artifact


def saved_model(folder: Path, weights: str = "w", **metadata: Any) -> Path:
    """Files like those of an exported model."""
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_text("graph")
    (folder / "variables" / "variables.index").write_text("index")
    (folder / "assets.extra" / "config.json").write_text(json.dumps({"metadata": metadata}))
    (folder / "assets.extra" / "weights.npz").write_text(weights)
    return folder


def push(model: Path, serving: Path, folder: Path, blessed: int = 1, **more: Any) -> Any:
    """Runs the executor on a Model artifact around ``model``."""
    component = VersionPusher(
        standard_artifacts_channel(standard_artifacts.Model),
        standard_artifacts_channel(standard_artifacts.ModelBlessing),
        str(serving),
    )
    source = artifact(standard_artifacts.Model, folder / "model")
    shutil.copytree(model, folder / "model" / "Format-Serving")
    blessing = artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    blessing.set_int_custom_property("blessed", blessed)
    pushed = artifact(standard_artifacts.PushedModel, folder / "pushed")
    Executor().Do(
        {"model": [source], "model_blessing": [blessing], **more},
        {"pushed_model": [pushed]},
        component.spec.exec_properties,
    )
    return pushed


def standard_artifacts_channel(kind: type) -> Any:
    from tfx.types import channel

    return channel.Channel(type=kind)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"summary": {"seconds": 9}, "git_revision": "other", "machine": {}, "course": {}}, True),
        ({"weights": "v"}, False),
        ({"fingerprint": "g"}, False),
    ],
)
def test_the_same_model_is_told_by_weights_and_origin(tmp_path, change, same):
    origin = {"fingerprint": "f", "summary": {"seconds": 5}, "git_revision": "a"}
    one = saved_model(tmp_path / "one", **origin)
    other = saved_model(tmp_path / "other", **{**origin, **change})
    (other / "saved_model.pb").write_text("the same graph with other function names")
    assert same_model(one, other) is same


def test_a_model_is_pushed_once_while_it_is_the_newest(tmp_path):
    serving = tmp_path / "serving" / "astromer"
    one, other = saved_model(tmp_path / "one"), saved_model(tmp_path / "other", weights="v")

    pushed = [
        push(model, serving, tmp_path / str(number))
        for number, model in enumerate((one, one, other, one))
    ]

    numbers = [int(p.get_string_custom_property("pushed_version")) for p in pushed]
    assert numbers[0] == numbers[1] < numbers[2] < numbers[3]
    assert len(versions(serving)) == 3
    assert pushed[0].get_int_custom_property("pushed") == 1
    assert (Path(pushed[0].uri) / "saved_model.pb").exists()


def test_nothing_is_pushed_without_a_blessing(tmp_path):
    serving = tmp_path / "serving" / "astromer"
    pushed = push(saved_model(tmp_path / "one"), serving, tmp_path / "run", blessed=0)
    assert pushed.get_int_custom_property("pushed") == 0
    assert versions(serving) == []


def test_what_was_withdrawn_is_not_pushed_again(tmp_path):
    serving = tmp_path / "serving" / "astromer"
    good, bad = saved_model(tmp_path / "good"), saved_model(tmp_path / "bad", weights="v")
    first, _ = (push(model, serving, tmp_path / f"run-{model.name}") for model in (good, bad))
    kept = first.get_string_custom_property("pushed_version")
    _, [gone] = rollback(serving, withdraw_newer=True)

    again = push(bad, serving, tmp_path / "again")

    assert [path.name for path in versions(serving)] == [kept]
    assert again.get_string_custom_property("pushed_destination") == str(
        serving / "withdrawn" / gone
    )
    assert again.get_int_custom_property("withdrawn") == 1
    restore(serving, gone)
    back = push(bad, serving, tmp_path / "back")
    assert back.get_string_custom_property("pushed_destination") == str(serving / gone)
    assert back.get_int_custom_property("withdrawn") == 0


def test_a_version_has_a_card_that_tells_what_the_run_knows(tmp_path):
    serving = tmp_path / "serving" / "astromer"
    model = saved_model(tmp_path / "model", training={"seed": 7})
    examples = artifact(standard_artifacts.Examples, tmp_path / "examples")
    examples.set_string_custom_property("fold", "/records/my survey/fold_3")
    evaluation = artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")
    scores = {"hidden_rmse": 0.125, "hidden_steps": 1234.0, "windows": 10.0, "hidden_r2": 0.5}
    (tmp_path / "evaluation" / "metrics.json").write_text(json.dumps({"model": scores}))

    push(model, serving, tmp_path / "run", examples=[examples], evaluation=[evaluation])

    [version] = versions(serving)
    card = (version / "README.md").read_text()
    for told in ("my survey", "0.125", "1,234", f"# astromer {version.name}"):
        assert told in card
    assert "unknown" in card
    assert (serving / "latest").resolve() == version
