"""What the assembled pipeline promises before anything runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tfx.dsl.compiler import compiler
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)
from tfx.proto.orchestration import pipeline_pb2

from astromer.errors import DataNotFoundError
from components.baseline import LatestOtherBlessedModel
from pipeline.pipeline import create_pipeline
from pipeline_config import PipelineConfig, TrainingConfig
from tests.pipeline.folds import write_fold


@pytest.fixture
def config(tmp_path: Path) -> PipelineConfig:
    fold = write_fold(tmp_path / "fold")
    return PipelineConfig(data=str(fold), output=str(tmp_path / "outputs"))


def nodes(config: PipelineConfig, **settings) -> dict[str, pipeline_pb2.PipelineNode]:
    ir = compiler.Compiler().compile(create_pipeline(config, **settings))
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}


def parameter(node: pipeline_pb2.PipelineNode, name: str) -> str:
    return node.parameters.parameters[name].field_value.string_value


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
    custom = json.loads(parameter(nodes(changed)["Trainer"], "custom_config"))
    assert custom["training"] == dataclasses.asdict(training)
    assert custom["encoder"] == dataclasses.asdict(config.encoder)


@pytest.mark.parametrize(("epochs", "capped"), [(100, 2), (1, 1)])
def test_debug_caps_epochs_and_curves(config, epochs, capped):
    training = TrainingConfig(epochs=epochs, debug=True)
    found = nodes(dataclasses.replace(config, training=training))
    custom = json.loads(parameter(found["Trainer"], "custom_config"))
    assert custom["training"]["epochs"] == capped
    ingestion = parameter(found["FoldExampleGen"], "custom_config")
    assert json.loads(ingestion)["custom_config"]["value"]["max_curves_per_split"] == 64


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


def test_kubeflow_s_compiler_takes_it_with_the_standard_resolver(config, tmp_path):
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(default_image="image"), output_filename=str(tmp_path / "a.json")
    )
    runner.run(create_pipeline(config))
    spec = json.loads((tmp_path / "a.json").read_text())["pipelineSpec"]
    assert {"Trainer", "Evaluator", "Pusher"} <= set(spec["root"]["dag"]["tasks"])
