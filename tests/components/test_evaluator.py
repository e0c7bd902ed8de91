"""Models are blessed when servable, finite and not worse than the mean and the one before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.components.util.model_utils import is_model_blessed
from tfx.types import standard_artifacts

from astromer.encoder.config import EncoderConfig
from astromer.encoder.reconstructor import Reconstructor
from astromer.evaluation.config import EvaluationConfig
from astromer.serving.checksums import write_checksums
from astromer.serving.export import export_saved_model
from astromer.system.config import to_dict
from astromer.windows.config import MaskingConfig
from components.evaluator import AstromerEvaluator
from components.evaluator.component import METRICS_FILE, SCORES_FILE, objections
from tests.components.conftest import artifact, run_example_gen

GOOD = {
    "hidden_rmse": 0.10,
    "probed_rmse": 0.09,
    "hidden_r2": float("nan"),
    "mean_hidden_rmse": 0.20,
}
LIMITS = EvaluationConfig(max_rmse_increase=0.05, max_rmse_over_mean=0.02)


def test_a_first_model_needs_no_baseline():
    assert objections(GOOD, None, LIMITS) == []


@pytest.mark.parametrize("baseline", [None, {**GOOD, "hidden_rmse": 5.0}])
@pytest.mark.parametrize(("rmse", "blessed"), [(0.2039, True), (0.2041, False)])
def test_a_model_may_be_worse_than_the_window_mean_by_the_margin_only(rmse, blessed, baseline):
    reasons = objections({**GOOD, "hidden_rmse": rmse}, baseline, LIMITS)
    assert (reasons == []) is blessed
    rule = "hidden_rmse 0.2041 mag exceeds the window mean's 0.2000 mag by more than 2%"
    assert all(reason.startswith(rule) and "--epochs" in reason for reason in reasons)


def test_a_trial_is_exempt_from_the_mean_and_nothing_else_and_the_log_says_so(caplog):
    poor = {**GOOD, "hidden_rmse": 5.0}
    assert objections(poor, None, LIMITS, debug=True) == []
    [logged] = caplog.messages
    assert "--debug" in logged
    assert "hidden_rmse 5.0000 mag exceeds the window mean's 0.2000 mag" in logged
    [reason] = objections(poor, GOOD, LIMITS, debug=True)
    assert "the pushed model's" in reason
    assert objections({**GOOD, "probed_rmse": float("inf")}, None, LIMITS, debug=True)


@pytest.mark.parametrize(("rmse", "blessed"), [(0.05, True), (0.1049, True), (0.1051, False)])
def test_a_model_may_be_worse_than_the_baseline_by_the_margin_only(rmse, blessed):
    reasons = objections({**GOOD, "hidden_rmse": rmse}, GOOD, LIMITS)
    assert (reasons == []) is blessed
    assert all("0.1051" in reason and "0.1000" in reason for reason in reasons)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_error_that_is_not_finite_is_never_blessed(value):
    assert objections({**GOOD, "probed_rmse": value}, None, LIMITS)
    assert objections({**GOOD, "hidden_rmse": value}, GOOD, LIMITS)


def test_a_baseline_without_a_finite_error_does_not_block():
    assert objections(GOOD, {**GOOD, "hidden_rmse": float("nan")}, LIMITS) == []


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = EncoderConfig(d_model=8, num_heads=2, num_layers=1, window_size=20)
    model = Reconstructor.from_settings(config, normalise=False, seed=1)
    return export_saved_model(model, tmp_path_factory.mktemp("exported") / "model")


def model_artifact(exported: Path, folder: Path, number: int) -> Any:
    made = artifact(standard_artifacts.Model, folder)
    shutil.copytree(exported, folder / "Format-Serving")
    made.id = number
    return made


def judge(folder: Path, examples: Any, model: Any, baseline: Any, **settings: int) -> Any:
    evaluation = artifact(standard_artifacts.ModelEvaluation, folder / "evaluation")
    blessing = artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    limits = EvaluationConfig(max_rmse_increase=0.05, batch_size=32)
    AstromerEvaluator.test_call(
        examples=examples,
        model=model,
        evaluation=evaluation,
        blessing=blessing,
        **to_dict(MaskingConfig()),
        seed=1,
        settings=json.dumps(to_dict(limits)),
        code_fingerprint="x",
        baseline_model=baseline,
        **settings,
    )
    return evaluation, blessing


def test_judges_models_and_writes_what_pusher_and_resolver_read(
    exported, fold, tmp_path, monkeypatch
):
    examples = run_example_gen(fold, tmp_path / "examples")
    first = model_artifact(exported, tmp_path / "first", 1)
    second = model_artifact(exported, tmp_path / "second", 2)

    evaluation, blessing = judge(tmp_path / "a", examples, first, None, debug=1)

    metrics = json.loads((Path(evaluation.uri) / METRICS_FILE).read_text())
    assert metrics["pushed_model"] is None
    rmse = evaluation.get_float_custom_property("hidden_rmse")
    assert rmse == metrics["model"]["hidden_rmse"] > 0
    assert "interpolation" in (Path(evaluation.uri) / SCORES_FILE).read_text()
    assert is_model_blessed(blessing)
    assert blessing.get_int_custom_property("current_model_id") == 1
    assert (Path(blessing.uri) / "BLESSED").exists()

    def objections_to_a_tenth_better(metrics, baseline, limits, **rest):
        better = {**baseline, "hidden_rmse": 0.9 * baseline["hidden_rmse"]}
        return objections(metrics, better, limits, **rest)

    monkeypatch.setattr("components.evaluator.component.objections", objections_to_a_tenth_better)
    evaluation, blessing = judge(tmp_path / "b", examples, second, first, debug=1)

    metrics = json.loads((Path(evaluation.uri) / METRICS_FILE).read_text())
    assert metrics["pushed_model"] == metrics["model"]
    assert not is_model_blessed(blessing)
    assert "pushed model" in blessing.get_string_custom_property("reasons")
    assert blessing.get_int_custom_property("baseline_model_id") == 1
    assert (Path(blessing.uri) / "NOT_BLESSED").exists()
    assert not (Path(blessing.uri) / "BLESSED").exists()


def test_an_untrained_model_is_not_blessed_but_for_a_trial(exported, fold, tmp_path):
    examples = run_example_gen(fold, tmp_path / "examples")
    model = model_artifact(exported, tmp_path / "model", 1)
    # Without the property debug, as in pipelines compiled by earlier releases.
    evaluation, blessing = judge(tmp_path / "a", examples, model, None)
    assert evaluation.get_float_custom_property("skill_over_mean") < -0.05
    assert not is_model_blessed(blessing)
    assert "the window mean's" in blessing.get_string_custom_property("reasons")
    _, blessing = judge(tmp_path / "b", examples, model, None, debug=1)
    assert is_model_blessed(blessing)
    assert blessing.get_string_custom_property("reasons") == ""


def test_a_model_that_no_server_can_load_is_not_blessed(exported, fold, tmp_path):
    examples = run_example_gen(fold, tmp_path / "examples")
    model = model_artifact(exported, tmp_path / "model", 1)
    graph = tmp_path / "model" / "Format-Serving" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:2000])
    write_checksums(graph.parent)
    broken = model_artifact(exported, tmp_path / "broken", 2)
    (tmp_path / "broken" / "Format-Serving" / "assets.extra" / "weights.npz").unlink()

    _, blessing = judge(tmp_path / "a", examples, model, broken)

    assert not is_model_blessed(blessing)
    reasons = blessing.get_string_custom_property("reasons")
    assert "server" in reasons
    assert "pushed model" not in reasons
