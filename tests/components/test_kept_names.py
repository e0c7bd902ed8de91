"""Names that stand in compiled pipelines and metadata databases of earlier releases."""

from __future__ import annotations

import pytest
from tfx.utils import import_utils, name_utils

EXECUTORS = """
    components.anomaly_gate.component.AnomalyGate_Executor
    components.distribution_validator.Executor
    components.evaluator.component.AstromerEvaluator_Executor
    components.example_gen.executor.Executor
    components.finetuner.component.Finetuner_Executor
    components.finetuner.judge.ClassifierJudge_Executor
    components.pushed_version.PushedVersion_Executor
    components.pusher.executor.Executor
    components.reporter.executor.Executor
    components.schema.component.LightCurveSchemaGen_Executor
    components.statistics.executor.Executor
    components.trainer.executor.Executor
    components.trainer.run_fn.run_fn
    components.trainer.vertex.VertexExecutor
    components.validator.executor.Executor
"""
TYPES = """
    components.anomaly_gate.component.AnomalyGate
    components.distribution_validator.DistributionValidator
    components.evaluator.component.AstromerEvaluator
    components.example_gen.component.FoldExampleGen
    components.finetuner.component.Finetuner
    components.finetuner.judge.ClassifierJudge
    components.pusher.component.VersionPusher
    components.reporter.component.Reporter
    components.schema.component.LightCurveSchemaGen
    components.statistics.component.StatisticsGen
    components.trainer.component.AstromerTrainer
    components.validator.component.LightCurveValidator
"""


@pytest.mark.parametrize("path", EXECUTORS.split())
def test_what_a_compiled_pipeline_runs_is_found(path):
    assert callable(import_utils.import_class_by_path(path))


@pytest.mark.parametrize("path", TYPES.split())
def test_components_are_known_by_the_same_names(path):
    assert name_utils.get_full_name(import_utils.import_class_by_path(path)) == path


@pytest.mark.parametrize("name", ["LightCurveAnomalies", "RunReport"])
def test_artifacts_are_imported_by_their_type_names(name):
    kind = import_utils.import_class_by_path(f"components.{name}")
    assert f"components.{name}" == kind.TYPE_NAME
