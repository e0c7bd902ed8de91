"""The gate lets good data of any survey pass and stops bad data."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tfx.components.distribution_validator import executor as distribution_validator
from tfx.components.example_validator import executor as example_validator
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.dsl.components.base import base_beam_executor
from tfx.types import standard_artifacts

from astromer.records.config import LightCurveRules
from astromer.system.config import to_dict
from astromer.system.errors import DataAnomalyError
from components.anomaly_gate import AnomalyGate
from components.anomaly_gate.component import pushed_profile
from components.schema import LightCurveSchemaGen, schema_text
from pipeline.pipeline import create_pipeline
from pipeline_config import PipelineConfig
from tests.components.conftest import artifact, run_example_gen
from tests.pipeline.folds import encode, make_curves, write_fold, write_records

RULES = LightCurveRules()


def gate(fold: Path, folder: Path) -> dict:
    """Runs everything from ingestion to the gate on a fold."""
    examples = run_example_gen(fold, folder / "examples")
    statistics = artifact(standard_artifacts.ExampleStatistics, folder / "statistics")
    schema = artifact(standard_artifacts.Schema, folder / "schema")
    anomalies = artifact(standard_artifacts.ExampleAnomalies, folder / "anomalies")
    drift = artifact(standard_artifacts.ExampleAnomalies, folder / "drift")
    nodes = {node.id: node for node in create_pipeline(PipelineConfig(str(fold))).components}

    context = base_beam_executor.BaseBeamExecutor.Context(
        beam_pipeline_args=list(PipelineConfig("").beam_args), tmp_dir=str(folder), unique_id="1"
    )
    statistics_gen.Executor(context).Do({"examples": [examples]}, {"statistics": [statistics]}, {})
    LightCurveSchemaGen.test_call(text=schema_text(RULES), schema=schema)
    example_validator.Executor().Do(
        {"statistics": [statistics], "schema": [schema]}, {"anomalies": [anomalies]}, {}
    )
    distribution_validator.Executor().Do(
        {"statistics": [statistics], "baseline_statistics": [statistics]},
        {"anomalies": [drift]},
        nodes["DistributionValidator"].spec.exec_properties,
    )
    return AnomalyGate.test_call(
        examples=examples,
        data_drift_severity="warn",
        statistics=statistics,
        anomalies=anomalies,
        drift=drift,
        rules=json.dumps(to_dict(RULES)),
    )


@pytest.mark.slow
def test_good_data_with_unknown_columns_pass(tmp_path):
    fold = write_fold(tmp_path / "fold")
    mixed = (
        {"RA": 10.5, "ID": 7, "Label": 1, "Period": 0.3},
        {"RA": "10:30", "ID": "x", "Label": "unknown", "Period": -99},
    )
    records = [
        encode(curve, Survey="x", **mixed[number % 2])
        for number, curve in enumerate(make_curves(12))
    ]
    write_records(fold / "test" / "0.record", records)

    assert gate(fold, tmp_path) == {"findings": "[]"}


def test_values_out_of_range_and_short_curves_stop_the_run(tmp_path):
    train, test = make_curves(24), make_curves(12, seed=2)
    train[3].errmag[4] = 5.0
    train[5].errmag[0] = 1.0
    test[1].mag[2] = 99.999
    short = dataclasses.replace(
        test[2], mjd=test[2].mjd[:4], mag=test[2].mag[:4], errmag=test[2].errmag[:4]
    )
    fold = write_fold(tmp_path / "fold", train=train, test=[*test, short])

    with pytest.raises(DataAnomalyError) as caught:
        gate(fold, tmp_path)

    message = str(caught.value)
    assert "\n" not in message
    assert "train errmag: must be in (0, 1), received 5." in message
    few = "test errmag, mag, mjd: fewer than 5 observations."
    assert few in message, message
    assert "test mag: must be in [-30, 40], received 99.999." in message


@pytest.mark.slow
@pytest.mark.parametrize(("size", "stops"), [(110, True), (20, False)])
def test_drift_between_splits_stops_only_where_it_can_be_told_from_chance(tmp_path, size, stops):
    fold = write_fold(
        tmp_path / "fold",
        train=make_curves(110),
        validation=make_curves(size, seed=1),
        test=make_curves(size, seed=2, mean=9.0),
    )
    if not stops:
        assert gate(fold, tmp_path) == {"findings": "[]"}
        return
    with pytest.raises(DataAnomalyError, match="test mag: is distributed unlike train") as caught:
        gate(fold, tmp_path)
    assert "validation" not in str(caught.value)


def test_the_profile_of_a_pushed_model_is_known_where_it_carries_one(tmp_path):
    config = tmp_path / "model" / "assets.extra" / "config.json"
    config.parent.mkdir(parents=True)
    plain = {"encoder": {}, "rules": {}, "metadata": {"train_profile": {"curves": 7}}}
    config.write_text(json.dumps(plain))
    assert pushed_profile(tmp_path / "model") == {"curves": 7}
    config.write_text(json.dumps({**plain, "metadata": {}}))
    assert pushed_profile(tmp_path / "model") is None
    assert pushed_profile(tmp_path / "nowhere") is None
