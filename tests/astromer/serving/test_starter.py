"""The encoder that comes with the package: found, loaded, named, and refused where damaged.

The command of README.md that needs no model of one's own is tried here, too.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import astromer
from astromer.commands.embed import main as embed
from astromer.commands.model import chosen_model
from astromer.serving.checksums import verify
from astromer.serving.curve_features import NUM_FEATURES
from astromer.serving.export import export_weights
from astromer.serving.starter import package
from astromer.system.errors import DamagedVersionError, ModelError, UsageError
from tools.starter.files import TOLERANCE, check_goldens, write_results, write_starter

SHIPPED = package.FOLDER


@pytest.fixture(scope="module")
def made(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A starter of random weights, as `make starter` writes it but for the card."""
    folder = tmp_path_factory.mktemp("starter")
    (folder / "trained").mkdir()
    model = toy.model("astromer_phase", window_size=40, num_layers=1)
    export_weights(model, folder / "trained", {"training": {"epochs": 0}})
    return write_starter(folder / "trained", folder / "made", "7", command="none").path


@pytest.fixture
def starter(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the package holds during the test."""
    folder = tmp_path / "package" / "model"
    shutil.copytree(made, folder)
    monkeypatch.setattr(package, "FOLDER", folder)
    return folder


@pytest.fixture(scope="module")
def encoder(made: Path) -> astromer.serving.embedder.Embedder:
    return astromer.load(made)


@pytest.fixture
def survey(toy, tmp_path: Path) -> Path:
    """A table of two stars."""
    curves = toy.curves([60, 12])
    rows = zip(np.repeat(curves.ids, curves.lengths), curves.mjd, curves.mag, curves.errmag)
    file = tmp_path / "survey.csv"
    file.write_text("id,mjd,mag,errmag\n" + "".join(f"{i},{t},{m},{e}\n" for i, t, m, e in rows))
    return file


def test_load_without_an_argument_is_the_starter(starter: Path) -> None:
    for loaded in (astromer.load(), astromer.load("starter")):
        assert loaded.path == starter
        assert loaded.identity.title == "starter 7"
        assert loaded.folds
    assert astromer.load_trainable().encoder.num_layers == 1


def test_it_is_the_object_that_a_pushed_version_gives(encoder, toy) -> None:
    curves = toy.curves([60, 100, 3])
    found = encoder.embed(curves, periods=[1.5, 0, 0], progress=False)
    assert found.embedding.shape == (3, 8 + NUM_FEATURES)
    assert found.periods[0, 0] == pytest.approx(1.5)
    assert found.false_alarm[:2] == pytest.approx(0, abs=1)
    assert found.status.tolist() == [0, 0, 1]
    assert found.model == str(encoder.identity)
    assert len(encoder.embed([], progress=False)) == 0
    drawn = encoder.reconstruct(curves, seed=3, progress=False)
    assert np.isfinite(drawn.sigma[0]).all()


def test_its_goldens_are_what_it_gives(encoder) -> None:
    assert check_goldens(encoder) <= 1e-6
    assert encoder.path == package.read_starter(encoder.path).path


def test_embed_takes_it_and_says_so_in_a_line(starter, survey, tmp_path, capsys) -> None:
    out = tmp_path / "embeddings.parquet"
    embed(["--data", str(survey), "--out", str(out)])
    [line] = [text for text in capsys.readouterr().out.splitlines() if text.startswith("model:")]
    sha256 = package.read_starter(starter).sha256
    assert f"starter 7 (sha256 {sha256[:12]})" in line
    assert f"astromer-pipeline {astromer.__version__}" in line
    assert "--model" in line
    made_by = json.loads(pq.read_table(out).schema.metadata[b"astromer_model"])
    assert made_by == {
        "name": "starter",
        "version": "7",
        "sha256": sha256,
        "astromer_version": astromer.__version__,
    }


def test_a_copy_is_taken_by_its_folder(starter: Path, tmp_path: Path, capsys) -> None:
    copy = shutil.copytree(starter, tmp_path / "starter")
    assert chosen_model(str(copy)) == copy
    assert f"in {copy}" in capsys.readouterr().out


def damage_weights(folder: Path) -> None:
    file = folder / "assets.extra" / "weights.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def name_other_weights(folder: Path) -> None:
    facts = json.loads((folder / package.FACTS).read_text())
    (folder / package.FACTS).write_text(json.dumps(facts | {"sha256": "0" * 64}))
    (folder / "checksums.txt").write_text("")
    from astromer.serving.checksums import write_checksums

    write_checksums(folder)


DAMAGE = {
    "weights": (damage_weights, "changed: assets.extra/weights.npz"),
    "config": (
        lambda folder: (folder / "assets.extra" / "config.json").unlink(),
        "missing: assets.extra/config.json",
    ),
    "checksums": (lambda folder: (folder / "checksums.txt").unlink(), "missing: checksums.txt"),
    "facts": (name_other_weights, "starter.json names other weights"),
    "no facts": (
        lambda folder: (folder / package.FACTS).write_text("[]"),
        "changed: starter.json",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_one_is_refused_in_a_line(starter, survey, tmp_path, kind: str) -> None:
    damage, what = DAMAGE[kind]
    damage(starter)
    for use in (
        astromer.load,
        astromer.load_trainable,
        lambda: embed(["--data", str(survey), "--out", str(tmp_path / "out.parquet")]),
    ):
        with pytest.raises(DamagedVersionError) as refused:
            use()
        message = str(refused.value)
        assert what in message
        assert "Install the package again" in message
        assert "\n" not in message


def test_a_package_without_one_says_what_to_do(tmp_path, survey, monkeypatch) -> None:
    monkeypatch.setattr(package, "FOLDER", tmp_path / "model")
    for use in (
        astromer.load,
        lambda: embed(["--data", str(survey), "--out", str(tmp_path / "out.parquet")]),
    ):
        with pytest.raises(ModelError, match=r"make starter.*--model") as refused:
            use()
        assert "\n" not in str(refused.value)


def test_a_version_needs_a_folder() -> None:
    with pytest.raises(UsageError, match="version 3, no folder"):
        astromer.load(version=3)


def test_results_on_other_surveys_are_written_later(starter: Path) -> None:
    before = package.read_starter(starter)
    write_results(starter, {"asas": {"hidden_rmse": 0.15}})
    assert package.read_starter(starter) == before
    results = json.loads((starter / package.RESULTS).read_text())
    assert results == {"sha256": before.sha256, "surveys": {"asas": {"hidden_rmse": 0.15}}}
    assert not verify(starter)


@pytest.mark.skipif(not package.is_starter(SHIPPED), reason="the package has no starter yet")
def test_the_starter_of_the_package_is_whole_small_and_answers_as_it_did() -> None:
    loaded = astromer.load()
    assert loaded.path == SHIPPED
    assert check_goldens(loaded) <= TOLERANCE
    files = [file for file in SHIPPED.rglob("*") if file.is_file()]
    assert {file.name for file in files} >= {"README.md", package.RESULTS, package.GOLDENS}
    assert sum(file.stat().st_size for file in files) <= 3e6
