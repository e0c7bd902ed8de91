"""The program, run in this process on a small survey."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from astromer.commands.finetune import default_output, finetune, parse
from astromer.records.config import SyntheticConfig
from astromer.records.fold import Fold
from astromer.records.synthetic.built_in import provide_survey
from astromer.serving.export import export_saved_model
from astromer.system.errors import DataNotFoundError, ModelError, UsageError

QUICK = ["--head-epochs", "3", "--trees", "5", "--encoder", "frozen", "--rule", "too_short=warn"]


@pytest.fixture(scope="module")
def fold(tmp_path_factory) -> Path:
    return provide_survey(tmp_path_factory.mktemp("survey"), SyntheticConfig(curves=110)).fold


@pytest.fixture(scope="module")
def pushed(toy, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pushed")
    export_saved_model(toy.model(num_layers=1, d_model=16, window_size=200), folder / "1")
    return folder


def command(pushed: Path, fold: Path, output: Path, *more: str):
    where = ["--model", str(pushed), "--data", str(fold), "--output", str(output)]
    return parse([*where, *QUICK, *more])


@pytest.mark.slow
def test_classify_writes_tables_a_picture_and_a_saved_model(pushed, fold, tmp_path, capsys):
    args = command(pushed, fold, tmp_path / "out", "--shots", "2", "--seeds", "1", "2")
    output = finetune(args)
    said = capsys.readouterr().out
    assert "random encoder, frozen" in said
    assert "random forest" in said
    assert "beat a random one" in said or "beats a random one" in said
    rows = list(csv.DictReader((output / "results.csv").open()))
    assert len(rows) == 6
    content = json.loads((output / "results.json").read_text())
    assert content["encoder"]["path"] == str((pushed / "1").resolve())
    assert len(content["classes"]) == 11
    for name in ("table.md", "confusion_frozen_2.png", "classifier/saved_model.pb"):
        assert (output / name).is_file()
    assert (output / "classifier/assets.extra/label_map.json").is_file()

    finetune(args)
    assert "6 of 6 trials are finished already" in capsys.readouterr().out


@pytest.mark.slow
def test_reconstruct_scores_before_and_after(pushed, fold, tmp_path, capsys):
    more = ("--task", "reconstruct", "--reconstruct-epochs", "1")
    output = finetune(command(pushed, fold, tmp_path / "out", *more))
    said = capsys.readouterr().out
    assert "pushed encoder as it is" in said
    assert "linear interpolation" in said
    content = json.loads((output / "results.json").read_text())
    assert content["zero_shot"]["hidden_steps"] == content["fine_tuned"]["hidden_steps"]
    assert (output / "model" / "saved_model.pb").is_file()


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        (("--baselines", "public"), UsageError, "--public-weights"),
        (("--baselines", "none", "random"), UsageError, "goes alone"),
        (("--shots", "-1"), UsageError, "--shots"),
        (("--head-dropout", "1"), UsageError, "--head-dropout"),
        (("--model", "nowhere"), ModelError, "nowhere"),
        (("--data", "nowhere"), DataNotFoundError, "nowhere"),
        (("--public-weights", "nowhere.zip"), ModelError, "nowhere.zip"),
    ],
)
def test_mistakes(pushed, fold, tmp_path, more, error, said):
    with pytest.raises(error, match=said):
        finetune(command(pushed, fold, tmp_path / "out", *more))
    assert not (tmp_path / "out").exists()


def test_the_default_output_is_named_after_the_data(fold):
    assert default_output(Fold.open(fold)).parts[:2] == ("outputs", "finetune")
    assert default_output(Fold.open(fold)).name.endswith("_fold_0")
