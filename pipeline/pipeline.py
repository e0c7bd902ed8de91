"""The pipeline: what feeds what. Knows no orchestrator."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from tensorflow_metadata.proto.v0 import path_pb2, schema_pb2
from tfx.components.example_validator.component import ExampleValidator
from tfx.dsl.components.common.resolver import ResolverStrategy
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import distribution_validator_pb2

from astromer.records.config import LightCurveRules
from astromer.records.fold import SPLITS, Fold
from astromer.system.config import to_dict
from astromer.system.storage import as_path
from components.anomaly_gate import AnomalyGate
from components.anomaly_gate.component import BASELINE_SPLIT
from components.distribution_validator import DistributionValidator
from components.evaluator import AstromerEvaluator
from components.example_gen import FoldExampleGen
from components.knobs import properties
from components.provenance import code_fingerprint
from components.pushed_version import (
    MODEL_KEY,
    LatestBlessedModelOfOtherData,
    PushedVersion,
    baseline_resolver,
)
from components.pusher import VersionPusher
from components.reporter import Reporter
from components.schema import LightCurveSchemaGen, schema_text
from components.schema.component import SEQUENCE
from components.statistics import StatisticsGen
from components.trainer import AstromerTrainer
from components.validator import LightCurveValidator
from pipeline.beam_options import STATISTICS, VALIDATOR
from pipeline_config import PipelineConfig

GATE = "AnomalyGate"
TRAINER, EVALUATOR, PUSHER = "Trainer", "Evaluator", "Pusher"
PUSHED_MODEL = "PushedModel"
REPORTER = "Reporter"
FINETUNER, JUDGE = "Finetuner", "ClassifierJudge"
"""Ids of the components; the last two are of the fine-tuning pipeline."""

VALIDATION_FOLDER, REPORTS_FOLDER, RESULTS_FOLDER = "validation", "reports", "results"
"""In the output folder: what users read of a run."""


def create_pipeline(
    config: PipelineConfig,
    *,
    pipeline_root: str | None = None,
    baseline_strategy: type[ResolverStrategy] | None = LatestBlessedModelStrategy,
    metadata_connection_config: Any = None,
    pipeline_name: str = "",
    runtime: Mapping[str, Any] = {},
    make_trainer: Callable[..., AstromerTrainer] = AstromerTrainer,
) -> Pipeline:
    """Fold records in, a pushed SavedModel out.

    Args:
        config: all settings; with ``config.training.debug`` the caps of ``config.debug`` hold.
        pipeline_root: folder of the artifacts; ``pipeline`` in the output folder by default.
        baseline_strategy: how to find the model that a new one is compared with; None where the
            orchestrator looks nothing up: then it is the newest pushed version.
        metadata_connection_config: where lineage is kept; the orchestrator's by default.
        runtime: what stands for values that are given when a run is started: by the name of a
            knob of the encoder, masking or training, and "data", which is then not looked at.
        pipeline_name: by which metadata know it; the config's name by default.
        make_trainer: makes the component that trains, with the arguments of AstromerTrainer.

    Raises:
        DataNotFoundError: the fold or one of its splits is missing.
    """
    output = _absolute(config.output)
    served = os.path.join(output, "serving", config.name)
    knobs = properties(config.hyperparameters) | dict(runtime)

    data, files = (runtime["data"], {}) if "data" in runtime else _fold(config.data)
    example_gen = FoldExampleGen(
        data,
        files,
        debug=knobs["debug"],
        max_curves_per_split=config.debug.curves_per_split,
        errors=config.errors,
    )
    validator = LightCurveValidator(
        example_gen.outputs["examples"],
        validation=config.validation,
        rules=config.rules,
        report=os.path.join(output, VALIDATION_FOLDER),
    ).with_id(VALIDATOR)
    validator.with_beam_pipeline_args(config.component_beam_args.get(VALIDATOR, ()))
    examples = validator.outputs["valid_examples"]
    statistics_gen = StatisticsGen(examples=examples).with_id(STATISTICS)
    statistics_gen.with_beam_pipeline_args(config.component_beam_args.get(STATISTICS, ()))
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
    if baseline_strategy is None:
        pushed = PushedVersion(folder=served).with_id(PUSHED_MODEL)
    else:
        standard = baseline_strategy is LatestBlessedModelStrategy
        pushed = baseline_resolver(
            baseline_strategy if standard else LatestBlessedModelOfOtherData,
            examples,
            PUSHED_MODEL,
            makers=(TRAINER, EVALUATOR),
        )
    gate = AnomalyGate(
        examples=examples,
        pushed_model=pushed.outputs[MODEL_KEY],
        data_drift_severity=config.validation.data_drift,
        statistics=statistics,
        anomalies=example_validator.outputs["anomalies"],
        drift=drift_validator.outputs["anomalies"],
        rules=json.dumps(to_dict(config.rules)),
    )

    trainer = make_trainer(
        examples,
        encoder=config.encoder,
        masking=config.masking,
        training=config.training,
        runtime=runtime,
        tensorboard=config.tensorboard,
        debug=config.debug,
        rules=config.rules,
        serving=config.serving,
        training_root=os.path.join(output, "training"),
    ).with_id(TRAINER)
    trainer.add_upstream_node(gate)
    model = trainer.outputs["model"]

    baseline = pushed
    if baseline_strategy is not None:
        baseline = baseline_resolver(
            baseline_strategy, model, makers=(TRAINER, EVALUATOR), folder=served
        )
    masking = {name: knobs[name] for name in ("probed", "same", "random", "seed")}
    evaluator = AstromerEvaluator(
        examples=examples,
        model=model,
        baseline_model=baseline.outputs[MODEL_KEY],
        **masking,
        settings=json.dumps(to_dict(config.evaluation)),
        code_fingerprint=code_fingerprint("components.evaluator.component"),
        debug=knobs["debug"],
    ).with_id(EVALUATOR)
    pusher = VersionPusher(
        model,
        evaluator.outputs["blessing"],
        served,
        examples=examples,
        anomalies=validator.outputs["anomalies"],
        evaluation=evaluator.outputs["evaluation"],
    ).with_id(PUSHER)
    reporter = Reporter(
        examples=examples,
        anomalies=validator.outputs["anomalies"],
        model=model,
        evaluation=evaluator.outputs["evaluation"],
        blessing=evaluator.outputs["blessing"],
        pushed_model=pusher.outputs["pushed_model"],
        title=config.name,
        shelf=os.path.join(output, REPORTS_FOLDER),
        masking=masking,
        report=config.report,
    ).with_id(REPORTER)

    return Pipeline(
        pipeline_name=pipeline_name or config.name,
        pipeline_root=pipeline_root or os.path.join(output, "pipeline"),
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
            *([] if baseline is pushed else [baseline]),
            evaluator,
            pusher,
            *([] if config.no_report else [reporter]),
        ],
        enable_cache=True,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(config.beam_args),
    )


def _absolute(place: str) -> str:
    return str(as_path(place).absolute())


def _fold(path: str) -> tuple[Any, dict[str, list[str]]]:
    fold = Fold.open(as_path(path).absolute())
    return str(fold.path), {split: [str(file) for file in fold.files[split]] for split in SPLITS}


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
