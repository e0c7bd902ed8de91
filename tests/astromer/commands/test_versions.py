"""The program, as a user runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from astromer.commands.versions import main
from astromer.serving import load_check
from astromer.serving.checksums import write_checksums
from astromer.serving.export import export_saved_model
from astromer.serving.versions.folder import aliased, versions, withdrawn
from astromer.serving.versions.promotion import push_version
from astromer.system.errors import AstromerError, DamagedVersionError, ModelError, UsageError
from tests.pipeline.folds import write_fold


def facts(rmse: float = 0.2, fingerprint: str = "f", seed: int = 42) -> dict:
    scores = {"hidden_rmse": rmse, "mean_hidden_rmse": 0.4, "interpolation_hidden_rmse": 0.3}
    train = {"curves": 1234, "observations": 9, "classes": {}, "bands": {}, "rejected": 0}
    return {
        "pushed": "2026-01-02T03:04:05+00:00",
        "data": {"surveys": ["ogle"], "fingerprint": fingerprint, "splits": {"train": train}},
        "evaluation": {"model": scores, "conditions": {"seed": seed}},
    }


@pytest.fixture
def folder(pushed, tmp_path: Path) -> Path:
    return pushed(tmp_path / "serving", 3, **facts())


@pytest.fixture(scope="session")
def models(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two versions that load."""
    place = tmp_path_factory.mktemp("models")
    model = export_saved_model(toy.model(num_layers=1), place / "exported")
    push_version(model, place / "serving")
    weights = model / "assets.extra" / "weights.npz"
    with np.load(weights) as saved:
        changed = {name: saved[name] + 0.1 for name in saved.files}
    np.savez(weights, **changed)  # what compare rebuilds; the graph stays
    write_checksums(model)
    push_version(model, place / "serving")
    return place / "serving"


@pytest.fixture
def loadable(models: Path, tmp_path: Path) -> Path:
    return shutil.copytree(models, tmp_path / "serving", symlinks=True)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    main([str(argument) for argument in arguments])
    return capsys.readouterr().out


def test_the_list_tells_what_is_there(folder, capsys) -> None:
    (folder / "1" / "saved_model.pb").write_text("grapH")
    said = run(capsys, "list", "--model", folder)
    head, first, _, last, note = said.splitlines()
    assert head.split()[:4] == ["version", "pushed", "(UTC)", "survey"]
    assert first.split()[:6] == ["1", "2026-01-02", "03:04", "ogle", "1,234", "0.2000"]
    assert "damaged" in first
    assert last.split()[-2:] == ["whole", "latest"]
    assert "its own test split" in note
    rows = json.loads(run(capsys, "list", "--json", "--quick", "--model", folder))
    assert [row["is_latest"] for row in rows] == [False, False, True]
    assert {row["condition"] for row in rows} == {""}


def test_versions_without_a_card_are_listed_with_what_is_known(pushed, tmp_path, capsys) -> None:
    folder = pushed(tmp_path / "serving", 1)
    (folder / "1").rename(folder / "1700000000")
    (folder / "latest").unlink()
    (folder / "1700000000" / "checksums.txt").unlink()
    line = run(capsys, "list", "--model", folder).splitlines()[1]
    assert line.split()[:4] == ["1700000000", "2023-11-14", "22:13", "-"]
    assert "no checksums" in line
    with pytest.raises(ModelError, match=r"no README\.md"):
        main(["show", "1700000000", "--model", str(folder)])


def test_the_card_is_shown(folder, capsys) -> None:
    assert run(capsys, "show", "2", "--model", folder) == "# card of 2\n"
    assert run(capsys, "show", "latest", "--model", folder) == "# card of 3\n"


def test_a_comparison_says_where_scores_do_not_compare(pushed, tmp_path, capsys) -> None:
    folder = pushed(tmp_path / "serving", 2, **facts())
    said = run(capsys, "compare", "1", "2", "--model", folder)
    assert "hidden_rmse" in said
    assert "note" not in said
    for change, why in (
        ({"fingerprint": "g"}, "different light curves"),
        ({"seed": 1}, "different hidden steps"),
    ):
        card = folder / "2" / "assets.extra" / "card.json"
        card.write_text(json.dumps(facts(0.1, **change)))
        said = run(capsys, "compare", "1", "2", "--model", folder)
        assert why in said
        assert "-0.1" in said


def test_verify_names_files_and_has_an_exit_code_of_its_own(folder, capsys) -> None:
    assert run(capsys, "verify", "--model", folder) == "1  whole\n2  whole\n3  whole\n"
    (folder / "2" / "variables" / "variables.index").unlink()
    (folder / "3" / "new").touch()
    with pytest.raises(DamagedVersionError, match="not in 2, 3") as told:
        main(["verify", "--model", str(folder)])
    assert told.value.exit_code == 13
    said = capsys.readouterr().out
    assert "2  missing: variables/variables.index\n3  added: new\n" in said
    assert run(capsys, "verify", "1", "--model", folder) == "1  whole\n"


def test_promoted_rolled_back_withdrawn_and_restored(folder, capsys, monkeypatch) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(load_check, "check_loads", lambda version: looked_at.append(version.name))
    said = run(capsys, "promote", "2", "--model", folder)
    assert "latest names 2" in said
    assert "model servers take the highest number, 3" in said
    said = run(capsys, "rollback", "--withdraw", "--model", folder)
    assert "latest names 3" in said
    said = run(capsys, "promote", "1", "--withdraw", "--model", folder)
    assert "note" not in said
    assert looked_at == ["2", "3", "1"]
    assert aliased(folder) == folder / "1"
    assert [version.name for version in withdrawn(folder)] == ["2", "3"]
    assert "withdrawn/3  whole" in run(capsys, "verify", "--model", folder)
    said = run(capsys, "restore", "3", "--model", folder)
    assert "latest still names 1" in said
    assert "now 3" in said


@pytest.mark.slow
def test_what_is_damaged_or_does_not_load_is_not_promoted(loadable, capsys) -> None:
    first, second = (version.name for version in versions(loadable))
    assert f"latest names {first}" in run(capsys, "promote", first, "--model", loadable)
    index = loadable / second / "variables" / "variables.index"
    index.write_bytes(b"")
    with pytest.raises(DamagedVersionError, match=r"changed: variables/variables\.index"):
        main(["promote", second, "--model", str(loadable)])
    (loadable / second / "checksums.txt").unlink()  # as of a version from elsewhere
    with pytest.raises(ModelError, match="A model server must be able to load"):
        main(["promote", second, "--model", str(loadable)])
    assert aliased(loadable) == loadable / first


def test_versions_are_scored_at_the_same_hidden_steps(loadable, tmp_path, capsys) -> None:
    fold = write_fold(tmp_path / "fold")
    first, second = (version.name for version in versions(loadable))
    said = run(capsys, "compare", first, second, "--model", loadable, "--data", fold)
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line[:2] == "  "}
    assert rows["hidden_steps"][0] == rows["hidden_steps"][1] != "0"
    assert rows["mean_hidden_rmse"][0] == rows["mean_hidden_rmse"][1]
    assert rows["hidden_rmse"][0] != rows["hidden_rmse"][1]
    assert "note" not in said
    config = loadable / second / "assets.extra" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "window_size": 30}))
    write_checksums(loadable / second)
    said = run(capsys, "compare", first, second, "--model", loadable, "--data", fold)
    assert "windows of 20 and 30 hide different steps" in said


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (["show", "two"], UsageError, "A version is a number"),
        (["show", "9"], ModelError, "there is 1, 2, 3"),
        (["promote", "9"], ModelError, "there is 1, 2, 3"),
        (["restore", "9"], ModelError, "there is none"),
        (["compare", "1", "2", "--seed", "-1", "--data", "x"], UsageError, "--seed"),
    ],
)
def test_what_is_wrong_is_told(folder, arguments, error: type[AstromerError], told) -> None:
    with pytest.raises(error, match=told):
        main([*arguments, "--model", str(folder)])


def test_a_folder_that_is_none_is_told(folder, tmp_path) -> None:
    for place, told in (
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path, "holds none"),
        (folder / "1", f"give {folder}"),
    ):
        with pytest.raises(ModelError, match=told):
            main(["list", "--model", str(place)])


def test_it_works_in_a_store(pushed, store, capsys) -> None:
    folder = pushed(store / "serving", 2, **facts())
    assert "latest" in run(capsys, "list", "--model", folder).splitlines()[2]
    assert run(capsys, "verify", "--model", folder) == "1  whole\n2  whole\n"
    assert run(capsys, "show", "1", "--model", folder) == "# card of 1\n"
