"""What the assembled pipeline promises before anything runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tfx.dsl.compiler import compiler
from tfx.proto.orchestration import pipeline_pb2

from astromer.system.errors import DataNotFoundError
from astromer.training.config import TrainingConfig
from components.pushed_version import LatestOtherBlessedModel
from components.trainer.executor import settings_of
from pipeline.pipeline import create_pipeline
from pipeline_config import PipelineConfig
from tests.pipeline.folds import write_fold


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    fold = write_fold(tmp_path / "fold")
    return PipelineConfig(data=str(fold), output=str(tmp_path / "outputs"))


def nodes(config: PipelineConfig, **settings) -> dict[str, pipeline_pb2.PipelineNode]:
    ir = compiler.Compiler().compile(create_pipeline(config, **settings))
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}


def parameter(node: pipeline_pb2.PipelineNode, name: str) -> str | int | float:
    value = node.parameters.parameters[name].field_value
    return getattr(value, value.WhichOneof("value"))


def trainer_settings(node: pipeline_pb2.PipelineNode) -> dict:
    return settings_of({name: parameter(node, name) for name in node.parameters.parameters})


def test_the_gate_comes_before_the_trainer_and_the_judge_before_the_pusher(config):
    found = nodes(config, baseline_strategy=LatestOtherBlessedModel)
    order = list(found)
    assert order.index("AnomalyGate") < order.index("Trainer") < order.index("Evaluator")
    assert order.index("Evaluator") < order.index("Pusher")
    assert "AnomalyGate" in found["Trainer"].upstream_nodes
    assert "Evaluator" in found["Pusher"].upstream_nodes


def test_settings_reach_the_trainer(config):
    training = TrainingConfig(epochs=7, learning_rate=3e-4)
    changed = dataclasses.replace(config, training=training)
    settings = trainer_settings(nodes(changed)["Trainer"])
    assert settings["training"] == dataclasses.asdict(training)
    assert settings["encoder"] == dataclasses.asdict(config.encoder)


@pytest.mark.parametrize(("epochs", "capped"), [(100, 2), (1, 1)])
def test_debug_caps_epochs_and_curves(config, epochs, capped):
    training = TrainingConfig(epochs=epochs, debug=True)
    found = nodes(dataclasses.replace(config, training=training))
    assert trainer_settings(found["Trainer"])["training"]["epochs"] == capped
    ingestion = parameter(found["FoldExampleGen"], "custom_config")
    assert json.loads(ingestion)["custom_config"]["value"]["max_curves_per_split"] == 64
    assert parameter(found["FoldExampleGen"], "debug") == 1


def test_equal_configs_give_equal_parameters_so_that_the_cache_is_used(config):
    def parameters() -> dict[str, dict[str, str]]:
        return {
            name: {key: parameter(node, key) for key in node.parameters.parameters}
            for name, node in nodes(config).items()
        }

    assert parameters() == parameters()
    assert parameters()["LightCurveSchemaGen"]["text"]


def test_a_missing_split_is_refused_while_assembling(config):
    (Path(config.data) / "test" / "0.record").unlink()
    with pytest.raises(DataNotFoundError, match="test"):
        create_pipeline(config)


def test_without_a_strategy_the_newest_version_takes_the_place_of_both_resolvers(config):
    found = nodes(config, baseline_strategy=None)
    assert "Baseline" not in found
    for judge in ("AnomalyGate", "Evaluator"):
        assert "PushedModel" in found[judge].upstream_nodes
    folder = parameter(found["PushedModel"], "folder")
    assert folder == str(Path(config.output) / "serving" / "astromer")


def test_places_in_buckets_stay_as_they_are(config):
    elsewhere = dataclasses.replace(config, output="gs://bucket/out")
    found = nodes(elsewhere)
    custom = json.loads(parameter(found["Trainer"], "custom_config"))
    assert custom["training_root"] == "gs://bucket/out/training"
    assert parameter(found["LightCurveValidator"], "report") == "gs://bucket/out/validation"
    assert "gs://bucket/out/serving/astromer" in parameter(found["Pusher"], "push_destination")
