"""The Reporter translates, tells why a model was not pushed, and fails no run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.types import channel, standard_artifacts

from astromer.encoder.config import EncoderConfig
from astromer.encoder.reconstructor import Reconstructor
from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.reports.config import ReportConfig
from astromer.reports.lineage import Lineage, Node
from astromer.serving.export import export_saved_model
from components import LightCurveAnomalies, RunReport
from components.evaluator.component import METRICS_FILE, write_blessing
from components.reporter import Reporter
from components.reporter.executor import NAME, PROBLEMS, Executor, lineage_of, traced_by
from tests.components.conftest import artifact, run_example_gen
from tests.pages import Page

MASKING = {"probed": 0.5, "same": 0.2, "random": 0.2, "seed": 1}
KINDS = {
    "examples": standard_artifacts.Examples,
    "anomalies": LightCurveAnomalies,
    "model": standard_artifacts.Model,
    "evaluation": standard_artifacts.ModelEvaluation,
    "blessing": standard_artifacts.ModelBlessing,
    "pushed_model": standard_artifacts.PushedModel,
}


def make_reporter(shelf: Path) -> Reporter:
    channels = {key: channel.Channel(type=kind) for key, kind in KINDS.items()}
    quick = ReportConfig(plotted_classes=0)
    return Reporter(**channels, title="astromer", shelf=str(shelf), masking=MASKING, report=quick)


@pytest.fixture
def inputs(fold: Path, tmp_path: Path) -> dict[str, Any]:
    """Of a run whose model was not blessed."""
    made = {key: artifact(kind, tmp_path / key) for key, kind in KINDS.items()}
    shutil.rmtree(tmp_path / "examples")
    made["examples"] = run_example_gen(fold, tmp_path / "examples")
    config = EncoderConfig(d_model=8, num_heads=2, num_layers=1, window_size=20)
    model = Reconstructor.from_settings(config, normalise=False, seed=1)
    export_saved_model(model, tmp_path / "model" / "Format-Serving", {"fingerprint": "abc"})
    names = ("hidden_rmse", "hidden_r2", "skill_over")
    scores = {f"{kind}_{name}": 0.25 for kind in BASELINE_TITLES for name in names}
    scores |= {"hidden_rmse": 0.5, "hidden_r2": 0.0, "hidden_steps": 7.0, "windows": 3.0}
    scores |= {f"skill_over_{kind}": -3.0 for kind in BASELINE_TITLES}
    metrics = {"model": scores, "pushed_model": None}
    (tmp_path / "evaluation" / METRICS_FILE).write_text(json.dumps(metrics))
    write_blessing(made["blessing"], made["model"], None, ["<b>too bad</b>"])
    return made


def run(inputs: dict[str, Any], shelf: Path, folder: Path) -> Any:
    report = artifact(RunReport, folder)
    given = {key: [one] for key, one in inputs.items()}
    Executor().Do(given, {"report": [report]}, make_reporter(shelf).exec_properties)
    return report


def test_a_model_that_was_not_blessed_has_a_page_that_says_why(inputs, tmp_path):
    shelf = tmp_path / "reports"

    report = run(inputs, shelf, tmp_path / "report")

    assert report.get_string_custom_property(PROBLEMS) == ""
    assert report.get_string_custom_property(NAME) == "abc"
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Not blessed, so nothing was pushed: <b>too bad</b>" in Page(page).text
    assert "all 7 hidden steps" in Page(page).text.lower()
    for name in ("abc", "latest"):
        assert (shelf / name / "index.html").read_text() == page
        assert (shelf / name / "plots" / "window_best.png").exists()


def test_what_goes_wrong_fails_no_run(inputs, tmp_path):
    shutil.rmtree(tmp_path / "model")

    report = run(inputs, tmp_path / "reports", tmp_path / "report")

    problems = report.get_string_custom_property(PROBLEMS)
    assert problems.startswith("there is no run report (ModelError: ")
    assert not (tmp_path / "reports").exists()


def test_the_lineage_is_the_store_s_where_it_can_be_asked(inputs):
    def fail(artifacts):
        raise ConnectionError("away")

    asked = Lineage((Node("x", "Model"),), (), "a store")
    with traced_by(lambda artifacts: asked):
        assert lineage_of(inputs) == asked
    with traced_by(fail):
        found = lineage_of(inputs)
    assert found == lineage_of(inputs)
    titles = [row[0].title for row in found.layers()]
    assert titles[:4] == ["Examples", "training", "Model", "evaluation"]
    assert [node.id for node in found.nodes if node.main] == ["model"]


def test_parameters_change_with_what_is_shown_and_drawn_with(tmp_path):
    one, again = (make_reporter(tmp_path).exec_properties for _ in range(2))
    assert one == again
    assert "matplotlib" in one["libraries"]
    assert json.loads(one["settings"])["plotted_classes"] == 0
