"""Versions appear whole, in order, and only for blessed models that are not yet served."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from components.pusher import versions
from components.pusher.component import VersionPusher
from components.pusher.executor import Executor
from components.pusher.identity import same_model
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


def push(model: Path, serving: Path, folder: Path, blessed: int = 1) -> Any:
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
        {"model": [source], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        component.spec.exec_properties,
    )
    return pushed


def standard_artifacts_channel(kind: type) -> Any:
    from tfx.types import channel

    return channel.Channel(type=kind)


def test_versions_rise_even_where_the_clock_stands_still_or_goes_back(tmp_path, monkeypatch):
    model, serving = saved_model(tmp_path / "model"), tmp_path / "serving" / "astromer"
    names = []
    for now in (1000, 1000, 900, 5000):
        monkeypatch.setattr(versions.time, "time", lambda now=now: now)
        names.append(versions.publish(model, serving).name)
    assert names == ["1000", "1001", "1002", "5000"]
    assert versions.latest(serving).name == "5000"


def test_a_version_carries_every_file(tmp_path):
    model = saved_model(tmp_path / "model")
    version = versions.publish(model, tmp_path / "serving" / "astromer")
    assert (version / "assets.extra" / "weights.npz").read_text() == "w"
    assert (version / "variables" / "variables.index").read_text() == "index"


def test_a_copy_that_fails_leaves_nothing_to_be_seen(tmp_path, monkeypatch):
    model, serving = saved_model(tmp_path / "model"), tmp_path / "serving" / "astromer"

    def half_a_copy(source: Path, target: Path, progress: object) -> None:
        target.mkdir(parents=True)
        (target / "saved_model.pb").touch()
        assert list(serving.iterdir()) == []  # the watched folder shows nothing meanwhile
        raise OSError("disk full")

    monkeypatch.setattr(versions, "copy_tree", half_a_copy)
    with pytest.raises(OSError, match="disk full"):
        versions.publish(model, serving)
    assert list(serving.iterdir()) == []
    assert list((tmp_path / "serving" / versions.STAGING).iterdir()) == []


def test_only_numbered_folders_are_versions(tmp_path):
    for name in ("7", "10", "9", ".staging", "temporary-11"):
        (tmp_path / name).mkdir()
    (tmp_path / "99").touch()
    assert [path.name for path in versions.versions(tmp_path)] == ["7", "9", "10"]
    assert versions.latest(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"summary": {"seconds": 9}, "git_revision": "other"}, True),
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
    assert len(versions.versions(serving)) == 3
    assert pushed[0].get_int_custom_property("pushed") == 1
    assert (Path(pushed[0].uri) / "saved_model.pb").exists()


def test_nothing_is_pushed_without_a_blessing(tmp_path):
    serving = tmp_path / "serving" / "astromer"
    pushed = push(saved_model(tmp_path / "one"), serving, tmp_path / "run", blessed=0)
    assert pushed.get_int_custom_property("pushed") == 0
    assert versions.versions(serving) == []
