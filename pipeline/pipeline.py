"""The pipeline: what feeds what. Knows no orchestrator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import path_pb2, schema_pb2
from tfx.components.distribution_validator.component import DistributionValidator
from tfx.components.example_validator.component import ExampleValidator
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import distribution_validator_pb2

from astromer.records.fold import SPLITS, Fold
from astromer.storage import as_path
from components.anomaly_gate import AnomalyGate
from components.anomaly_gate.component import BASELINE_SPLIT
from components.baseline import MODEL, LatestBlessedModelOfOtherData, baseline_resolver
from components.evaluator import AstromerEvaluator
from components.example_gen import FoldExampleGen
from components.provenance import code_fingerprint
from components.pusher import VersionPusher
from components.schema import LightCurveSchemaGen, schema_text
from components.schema.light_curve_schema import SEQUENCE
from components.statistics import StatisticsGen
from components.trainer import AstromerTrainer
from components.validator import LightCurveValidator
from pipeline_config import LightCurveRules, PipelineConfig, to_dict

VALIDATOR, GATE = "LightCurveValidator", "AnomalyGate"
TRAINER, EVALUATOR, PUSHER = "Trainer", "Evaluator", "Pusher"
_JUDGES = ("astromer", "components/evaluator")


def create_pipeline(
    config: PipelineConfig,
    *,
    pipeline_root: str | None = None,
    baseline_strategy: type[ResolverStrategy] = LatestBlessedModelStrategy,
    metadata_connection_config: Any = None,
) -> Pipeline:
    """Fold records in, a pushed SavedModel out.

    Args:
        config: all settings; with ``config.training.debug`` the caps of ``config.debug`` hold.
        pipeline_root: folder of the artifacts; ``pipeline`` in the output folder by default.
        baseline_strategy: how to find the model that a new one is compared with.
        metadata_connection_config: where lineage is kept; the orchestrator's by default.

    Raises:
        DataNotFoundError: the fold or one of its splits is missing.
    """
    output = as_path(config.output).absolute()
    fold = Fold.open(as_path(config.data).absolute())

    training, most_curves = config.training, 0
    if training.debug:
        training = config.debug.shortened(training)
        most_curves = config.debug.curves_per_split

    example_gen = FoldExampleGen(
        str(fold.path),
        {split: [str(file) for file in fold.files[split]] for split in SPLITS},
        max_curves_per_split=most_curves,
        errors=config.errors,
    )
    validator = LightCurveValidator(
        example_gen.outputs["examples"],
        validation=config.validation,
        rules=config.rules,
        report=str(validation_folder(output)),
    ).with_id(VALIDATOR)
    examples = validator.outputs["valid_examples"]
    statistics_gen = StatisticsGen(examples=examples)
    statistics = statistics_gen.outputs["statistics"]
    schema_gen = LightCurveSchemaGen(text=schema_text(config.rules, config.validation))
    example_validator = ExampleValidator(statistics=statistics, schema=schema_gen.outputs["schema"])
    drift_validator = DistributionValidator(
        statistics=statistics,
        baseline_statistics=statistics,
        config=_drift_config(config.rules),
        include_split_pairs=[
            (split, BASELINE_SPLIT) for split in SPLITS if split != BASELINE_SPLIT
        ],
    )
    pushed = baseline_resolver(
        LatestBlessedModelStrategy
        if baseline_strategy is LatestBlessedModelStrategy
        else LatestBlessedModelOfOtherData,
        examples,
        "PushedModel",
    )
    gate = AnomalyGate(
        examples=examples,
        pushed_model=pushed.outputs[MODEL],
        data_drift_severity=config.validation.data_drift,
        statistics=statistics,
        anomalies=example_validator.outputs["anomalies"],
        drift=drift_validator.outputs["anomalies"],
        rules=json.dumps(to_dict(config.rules)),
    )

    trainer = AstromerTrainer(
        examples,
        encoder=config.encoder,
        masking=config.masking,
        training=training,
        rules=config.rules,
        training_root=str(output / "training"),
    ).with_id(TRAINER)
    trainer.add_upstream_node(gate)
    model = trainer.outputs["model"]

    baseline = baseline_resolver(baseline_strategy, model)
    evaluator = AstromerEvaluator(
        examples=examples,
        model=model,
        baseline_model=baseline.outputs[MODEL],
        settings=json.dumps(
            {
                "masking": to_dict(config.masking),
                "evaluation": to_dict(config.evaluation),
                "seed": training.seed,
            }
        ),
        code_fingerprint=code_fingerprint(*_JUDGES),
    ).with_id(EVALUATOR)
    pusher = VersionPusher(
        model, evaluator.outputs["blessing"], str(output / "serving" / config.name)
    ).with_id(PUSHER)

    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=pipeline_root or str(output / "pipeline"),
        components=[
            example_gen,
            validator,
            statistics_gen,
            schema_gen,
            example_validator,
            drift_validator,
            pushed,
            gate,
            trainer,
            baseline,
            evaluator,
            pusher,
        ],
        enable_cache=True,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(config.beam_args),
    )


def validation_folder(output: Path) -> Path:
    """Where the findings of the validation are for users."""
    return output / "validation"


def _drift_config(
    rules: LightCurveRules,
) -> distribution_validator_pb2.DistributionValidatorConfig:
    config = distribution_validator_pb2.DistributionValidatorConfig()
    config.default_slice_config.feature.add(
        path=path_pb2.Path(step=[SEQUENCE, "mag"]),
        distribution_comparator=schema_pb2.FeatureComparator(
            jensen_shannon_divergence=schema_pb2.JensenShannonDivergence(
                threshold=rules.max_split_distance
            )
        ),
    )
    return config
