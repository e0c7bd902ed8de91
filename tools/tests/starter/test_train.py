"""The starter is trained in pieces, and twice to the same weights (docs/starter.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from astromer.records.reader import read_light_curves
from astromer.records.synthetic.endless import SyntheticSurvey
from astromer.serving.starter.package import read_starter
from astromer.system.storage import size_of
from tools.starter.stars import provide_stars, split_of
from tools.starter.train import StarterConfig

TINY = (
    *("--stars", "400", "--scale", "0.15", "--longest", "120", "--epochs", "2"),
    *("--mask-draws", "2", "--hidden", "8", "--n-layers", "1", "--n-heads", "2"),
    *("--window", "40", "--bs", "16", "--warmup-steps", "4"),
)


def test_the_stars_are_those_of_the_survey_and_are_made_once(tmp_path: Path) -> None:
    fold = provide_stars(tmp_path, 41, 3, 100)
    curves = read_light_curves(sorted((fold / "validation").glob("*.record")))
    assert [split_of(n) for n in (0, 1, 2, 19, 20)] == [
        *("validation", "test", "train", "train", "validation")
    ]
    expected = SyntheticSurvey(3, 100).light_curves([0, 20, 40])
    assert list(curves.ids) == list(expected.ids)
    assert (curves.mag == expected.mag).all()
    assert curves.periods == pytest.approx(expected.periods, nan_ok=True)
    before = (fold / "train" / "0.record").stat().st_mtime_ns
    assert provide_stars(tmp_path, 41, 3, 100) == fold
    assert (fold / "train" / "0.record").stat().st_mtime_ns == before


def test_the_command_is_that_of_the_weights() -> None:
    config = StarterConfig(stars=300, minutes=3.0, work="here", num_layers=3)
    assert config.command == "python tools/starter/train.py --stars 300 --n-layers 3"
    assert StarterConfig(stars=20_000, scale=0.1).used == 2000


def test_stopped_or_not_it_gives_the_same_weights(toy, tmp_path: Path) -> None:
    def train(name: str, *more: str):
        places = ("--work", str(tmp_path / name), "--starter", str(tmp_path / f"{name}-starter"))
        return toy.python("tools/starter/train.py", *TINY, *places, *more, timeout=900)

    assert train("pieces", "--minutes", "0.4").returncode in (0, 130, 143)
    done = [train("pieces"), train("whole")]
    assert [one.returncode for one in done] == [0, 0], done
    one, other = (read_starter(tmp_path / f"{name}-starter") for name in ("pieces", "whole"))
    assert one.sha256 == other.sha256
    assert one.sha256[:12] in done[0].stdout
    assert one.facts["command"].endswith(" ".join(TINY[-4:]))
    card = (one.path / "README.md").read_text()
    assert "No measurement of a real survey" in card
    assert one.facts["command"] in card
    assert json.loads((one.path / "results.json").read_text())["surveys"] == {}
    assert size_of(one.path) < 1e6
