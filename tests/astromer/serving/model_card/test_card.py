"""The card says what the records, the validation, the evaluation and the model's config say."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from astromer.evaluation.evaluation import evaluate
from astromer.records.fold import Fold
from astromer.records.reader import read_light_curves
from astromer.serving.export import export_saved_model
from astromer.serving.model_card.card import CITATION_FILE, Evidence, paper, to_yaml, write_card
from astromer.serving.saved_model import read_facts
from astromer.system.config import to_dict
from astromer.training.config import TrainingConfig
from astromer.validation.config import ValidationConfig, all_rules
from astromer.validation.fold_check import validate_fold
from astromer.validation.profile import TRAIN_PROFILE
from astromer.windows.config import MaskingConfig
from tests.pipeline.folds import encode, make_curves, write_fold, write_records

SURVEY = 'OGLE "IV": LMC | *é*\n- x'


@pytest.fixture(scope="module")
def fold(tmp_path_factory: pytest.TempPathFactory) -> Fold:
    """Two bands in train, one light curve that is rejected, and classes of unequal size."""
    place = tmp_path_factory.mktemp("survey") / "fold_2"
    write_fold(place)
    curves = make_curves(30, 0)
    curves[3].mag[1] = 99.999
    records = [encode(curve, Band="I" if i < 20 else "V") for i, curve in enumerate(curves)]
    write_records(place / "train" / "0.record", records)
    return Fold.open(place)


@pytest.fixture(scope="module")
def evidence(toy, fold: Fold) -> Evidence:
    model = toy.model(num_layers=1)
    validation = validate_fold(fold, ValidationConfig(max_rejected=1.0), progress=False)
    rules = {rule.name: to_dict(rule) for rule in all_rules()}
    curves = read_light_curves(fold.files["test"])
    scores = evaluate(model, curves, masking=MaskingConfig(), seed=11)
    return Evidence(
        fold=f"/data/{SURVEY}/fold_2",
        data_fingerprint="abc",
        missing_errors="constant",
        error_fill=0.02,
        processing={"kind": "flux", "zero_point": 25.0},
        validation={**validation.to_dict(), "rules": rules},
        evaluation={
            "model": scores.metrics,
            "groups": scores.group_metrics(),
            "conditions": {"split": "test", "curves": len(curves), "seed": 11},
        },
    )


@pytest.fixture(scope="module")
def exported(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = toy.model(num_layers=1)
    metadata = {
        "masking": to_dict(MaskingConfig(probed=0.25)),
        "training": to_dict(TrainingConfig(epochs=7, learning_rate=3e-3, seed=5)),
        "summary": {"epochs": 7, "best_epoch": 6, "val_hidden_rmse": 0.321, "replicas": 2},
        "machine": {
            "python": "3.10.1",
            "versions": {"tensorflow": "2.16.2"},
            "processor": "a processor",
            "cores": 3,
            "gpus": [],
        },
    }
    return export_saved_model(model, tmp_path_factory.mktemp("exported") / "1", metadata)


@pytest.fixture(scope="module")
def card(exported: Path, evidence: Evidence) -> str:
    write_card(exported, "17", evidence, "astromer")
    return (exported / "README.md").read_text(encoding="utf-8")


def front(card: str) -> dict[str, Any]:
    return yaml.safe_load(card.split("---\n")[1])


def section(card: str, title: str) -> str:
    return card.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_hubs_read_the_survey_s_name_and_the_scores(card, evidence) -> None:
    read = front(card)
    assert read["datasets"] == [SURVEY]
    assert read["license"] == "mit"
    assert "astromer_v2" in read["tags"]
    [entry] = read["model-index"]
    assert entry["name"] == "astromer 17"
    [result] = entry["results"]
    assert result["dataset"]["name"] == SURVEY
    metrics = {metric["name"]: metric["value"] for metric in result["metrics"]}
    model = evidence.evaluation["model"]
    assert metrics["RMSE at hidden steps [mag]"] == model["hidden_rmse"]
    assert (
        metrics["RMSE at hidden steps of interpolation [mag]"]
        == (model["interpolation_hidden_rmse"])
    )


def test_data_are_counted(card, exported) -> None:
    told = section(card, "Training data")
    assert 'OGLE "IV": LMC \\| \\*é\\*\\\\n- x' in told
    train = read_facts(exported)["data"]["splits"]["train"]
    assert (train["curves"], train["rejected"]) == (29, 1)
    assert train["bands"] == {"I": 19, "V": 10}
    assert "| train | 29 |" in told
    assert "I 19, V 10" in told
    assert "1 of `mag_out_of_range` (reject)" in section(card, "Preprocessing")


def test_quantiles_are_those_of_the_light_curves(exported, fold) -> None:
    curves = read_light_curves(fold.files["validation"])
    found = read_facts(exported)["data"]["splits"]["validation"]["quantiles"]
    steps = [np.median(np.diff(curves[i].mjd)) for i in range(len(curves))]
    assert found["cadence"]["0.5"] == pytest.approx(np.median(steps), rel=0.15)
    assert found["length"]["0.5"] == pytest.approx(np.median(curves.lengths), rel=0.15)
    assert found["mag"]["0.95"] == pytest.approx(np.quantile(curves.mag, 0.95), abs=0.26)


def test_preprocessing_architecture_and_training_are_those_of_the_config(card, exported) -> None:
    told = section(card, "Preprocessing")
    for part in ("windows of 20", "fraction of 0.25", "constant, 0.02 mag", "zero_point: 25"):
        assert part in told
    with np.load(exported / "assets.extra" / "weights.npz") as saved:
        parameters = sum(saved[name].size for name in saved.files)
    assert f"{parameters:,} parameters" in section(card, "Architecture")
    assert "| `d_model` | 8 |" in section(card, "Architecture")
    told = section(card, "Training")
    assert "| `training.learning_rate` | 0.003 |" in told
    for part in ("7 of at most 7 epochs", "epoch 7", "0.321", "seed: 5", "a processor, 3 cores"):
        assert part in told


def test_scores_stand_beside_the_baselines(card, evidence) -> None:
    told, model = section(card, "Scores"), evidence.evaluation["model"]
    assert f"{model['hidden_steps']:,.0f} hidden steps" in told
    assert "seed of the masks: 11" in told
    for name in ("hidden_rmse", "mean_hidden_rmse", "interpolation_hidden_rmse"):
        assert f"{model[name]:.4g}" in told


def test_limits_come_from_what_was_measured(card) -> None:
    told = section(card, "Limits")
    assert "it has seen I, V and no other" in told
    assert "does not reconstruct better than this baseline: linear interpolation" in told
    assert "epoch 7, the last one, was the best" in told
    assert "filled in" in told


def test_the_snippet_runs(card, exported, monkeypatch) -> None:
    monkeypatch.chdir(exported)
    assert "(1, 8) [0]" in run_snippet(card)


def run_snippet(card: str) -> str:
    [code] = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "README.md", "exec"), {})
    return said.getvalue()


def test_what_is_unknown_is_said(toy, exported, tmp_path, monkeypatch) -> None:
    config = exported / "assets.extra" / "config.json"
    bare = tmp_path / "1"
    (bare / "assets.extra").mkdir(parents=True)
    plain = {**json.loads(config.read_text()), "metadata": {}}
    (bare / "assets.extra" / "config.json").write_text(json.dumps(plain))
    write_card(bare, "1", Evidence(), "astromer")
    card = (bare / "README.md").read_text()
    assert front(card)["datasets"] == []
    assert "model-index" not in front(card)
    assert "unknown" in section(card, "Training data")
    assert "is unknown" in section(card, "Scores")
    assert "What it was trained on is unknown" in section(card, "Limits")
    assert "Machine: unknown" in section(card, "Training")
    assert "None" not in card
    monkeypatch.chdir(exported)
    assert "(1, 8) [0]" in run_snippet(card)


def test_the_profile_in_the_config_counts_where_there_is_no_validation(
    exported, evidence, tmp_path
) -> None:
    bare = tmp_path / "1"
    (bare / "assets.extra").mkdir(parents=True)
    profile = evidence.validation["profiles"]["train"]
    plain = json.loads((exported / "assets.extra" / "config.json").read_text())
    plain["metadata"][TRAIN_PROFILE] = profile
    (bare / "assets.extra" / "config.json").write_text(json.dumps(plain))
    write_card(bare, "1", Evidence(), "astromer")
    assert "| train | 29 |" in (bare / "README.md").read_text()


def test_merged_surveys_are_named_each(evidence, exported, tmp_path) -> None:
    merged = dataclasses.replace(evidence, processing={"asas": {"kind": "flux"}, "sss": {}})
    bare = tmp_path / "1"
    (bare / "assets.extra").mkdir(parents=True)
    (bare / "assets.extra" / "config.json").write_bytes(
        (exported / "assets.extra" / "config.json").read_bytes()
    )
    write_card(bare, "1", merged, "astromer")
    assert front((bare / "README.md").read_text())["datasets"] == ["asas", "sss"]


def test_it_is_written_into_a_store(exported, evidence, store) -> None:
    (store / "1" / "assets.extra").mkdir(parents=True)
    for name in ("config.json", "weights.npz"):
        (store / "1" / "assets.extra" / name).write_bytes(
            (exported / "assets.extra" / name).read_bytes()
        )
    write_card(store / "1", "1", evidence, "astromer")
    assert (store / "1" / "README.md").read_text().startswith("---\nlicense:")


def test_the_repository_s_own_citation_is_read(toy) -> None:
    assert CITATION_FILE.read_text() == (toy.root / "CITATION.cff").read_text()


def test_licence_and_paper_are_those_of_the_citation(card) -> None:
    citation = yaml.safe_load(CITATION_FILE.read_text(encoding="utf-8"))
    [reference] = citation["references"]
    line = paper(citation)
    for name in ("title", "journal", "year", "doi"):
        assert str(reference[name]) in line
    assert line.startswith(f"{reference['authors'][0]['family-names']} et al. (2023)")
    assert line in section(card, "Licence and citation")
    assert f"{citation['license']} licence" in section(card, "Licence and citation")


TEXTS = st.text(st.characters(), max_size=20)
SCALARS = st.one_of(
    TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False), st.just("")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
@example({"no": "yes", "y": "off", "1": "0x10", "null": "~", "a: b": "- c # d"})
@example({"survey": 'OGLE "4": a\n--- b\r\u2028\x85\x00\U0001f600\ufeff\''})
@example({"numbers": [1e-05, 1e22, -0.0, 1e300, float("inf"), 2.0, 123456789012345678901234567890]})
@example({"nested": [[], {}, [[1, [2]], {"a": [{"b": None}]}], "", "2026-01-01", "12:30:45"]})
def test_yaml_readers_get_it_back(content: dict) -> None:
    text = to_yaml(content)
    text.encode("utf-8")
    found = yaml.safe_load(text) or {}
    assert found == content
    assert repr(found) == repr(content)  # 1 is not True, and 2.0 not 2


def test_what_is_no_number_stays_none() -> None:
    assert math.isnan(yaml.safe_load(to_yaml({"a": float("nan")}))["a"])
