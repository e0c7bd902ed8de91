from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import pytest

import pipeline_config
from astromer.system.config import all_knobs, from_dict
from astromer.system.errors import UsageError
from pipeline_config import (
    ClassifierConfig,
    ClusterConfig,
    DebugConfig,
    EncoderConfig,
    EvaluationConfig,
    FinetuneConfig,
    KubeflowConfig,
    LightCurveRules,
    LogConfig,
    MaskingConfig,
    MissingErrorsConfig,
    PipelineConfig,
    RecordsConfig,
    RemotePipelineConfig,
    ReportConfig,
    StudyConfig,
    TensorBoardConfig,
    TensorBoardServerConfig,
    TrainingConfig,
    ValidationConfig,
    VertexConfig,
    to_dict,
)

CONFIGS = [
    EncoderConfig,
    MaskingConfig,
    TrainingConfig,
    RecordsConfig,
    LightCurveRules,
    ValidationConfig,
    MissingErrorsConfig,
    EvaluationConfig,
    DebugConfig,
    FinetuneConfig,
    StudyConfig,
    ClusterConfig,
    VertexConfig,
    KubeflowConfig,
    LogConfig,
    ReportConfig,
    TensorBoardConfig,
    TensorBoardServerConfig,
]
DOCUMENTED = {
    "--model": "astromer_v1",
    "--hidden": 256,
    "--d-model": 256,
    "--n-heads": 4,
    "--n-layers": 4,
    "--dropout": 0.1,
    "--epochs": 100,
    "--bs": 256,
    "--lr": 1e-4,
    "--patience": 5,
    "--log-every": 100,
    "--norm": False,
    "--debug": False,
}


def defaults_by_flag(*configs: type) -> dict[str, Any]:
    return {
        flag: knob.default
        for config in configs
        for knob in dataclasses.fields(config)
        for flag in knob.metadata["flags"]
    }


def test_documented_options_have_their_documented_defaults() -> None:
    knobs = defaults_by_flag(EncoderConfig, TrainingConfig)
    assert {flag: knobs[flag] for flag in DOCUMENTED} == DOCUMENTED
    assert {flag: type(knobs[flag]) for flag in DOCUMENTED} == {
        flag: type(value) for flag, value in DOCUMENTED.items()
    }
    assert knobs["--seed"] == 42
    records = {"--folds": 1, "--val-frac": 0.2, "--test-frac": 0.2, "--njobs": 4}
    assert defaults_by_flag(RecordsConfig) == {
        **records,
        "--elements-per-shard": 200000,
        "--seed": 42,
    }


@pytest.mark.parametrize("config", CONFIGS)
def test_defaults_are_valid_frozen_and_have_reasons(config: type) -> None:
    made = config()
    for knob in dataclasses.fields(config):
        assert len(knob.metadata["reason"]) > 10, knob.name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, dataclasses.fields(config)[0].name, 1)


@pytest.mark.parametrize(
    ("wrong", "flag"),
    [
        (lambda: EncoderConfig("astromer_v3"), "--model"),
        (lambda: EncoderConfig(d_model=0), "--hidden"),
        (lambda: EncoderConfig(d_model=10, num_heads=4), "--n-heads"),
        (lambda: EncoderConfig(num_layers=0), "--n-layers"),
        (lambda: EncoderConfig(num_heads=0), "--n-heads"),
        (lambda: EncoderConfig(ffn_dim=-1), "--ffn"),
        (lambda: EncoderConfig(dropout=1.0), "--dropout"),
        (lambda: EncoderConfig(dropout=-0.1), "--dropout"),
        (lambda: EncoderConfig(dropout=math.nan), "--dropout"),
        (lambda: EncoderConfig(pe_base=1.0), "--pe-base"),
        (lambda: TrainingConfig(epochs=0), "--epochs"),
        (lambda: TrainingConfig(batch_size=0), "--bs"),
        (lambda: TrainingConfig(learning_rate=0.0), "--lr"),
        (lambda: TrainingConfig(learning_rate=math.inf), "--lr"),
        (lambda: TrainingConfig(learning_rate=math.nan), "--lr"),
        (lambda: TrainingConfig(patience=0), "--patience"),
        (lambda: TrainingConfig(log_every=0), "--log-every"),
        (lambda: TrainingConfig(seed=-1), "--seed"),
        (lambda: TrainingConfig(decay="linear"), "--decay"),
        (lambda: TrainingConfig(loss_on="same"), "--loss-on"),
        (lambda: TrainingConfig(clip_norm=-1.0), "--clip-norm"),
        (lambda: TrainingConfig(replicas=-1), "--replicas"),
        (lambda: MaskingConfig(probed=1.1), "--probed"),
        (lambda: MaskingConfig(same=-0.1), "--same"),
        (lambda: MaskingConfig(random=math.nan), "--random"),
        (lambda: RecordsConfig(val_frac=0.5, test_frac=0.5), "--val-frac"),
        (lambda: RecordsConfig(folds=0), "--folds"),
        (lambda: LogConfig(0), "--keep-logs"),
        (lambda: TensorBoardConfig(image_epochs=-1), "--image-epochs"),
        (lambda: TensorBoardConfig(image_curves=0), "--image-curves"),
        (lambda: TensorBoardConfig(projector_curves=-1), "--projector-curves"),
        (lambda: EvaluationConfig(batch_size=0), "batch_size"),
        (lambda: ClusterConfig(gpu_count=-1), "--gpus"),
        (lambda: ClusterConfig(trainer_retries=-1), "--trainer-retries"),
        (lambda: FinetuneConfig(head="sum"), "--head"),
        (lambda: StudyConfig(shots=(20, -1)), "--shots"),
        (lambda: StudyConfig(shots=()), "--shots"),
        (lambda: StudyConfig(baselines=("random", "oracle")), "--baselines"),
        (lambda: StudyConfig(baselines=("random", "none")), "--baselines"),
        (lambda: ReportConfig(scored_windows=0), "--report-windows"),
        (lambda: ReportConfig(embedding_map="umap"), "--report-map"),
        (lambda: MissingErrorsConfig("guess"), "--missing-errors"),
        (lambda: MissingErrorsConfig(error_fill=0.0), "--error-fill"),
        (lambda: ValidationConfig(max_rejected=1.5), "--max-rejected"),
        (lambda: ValidationConfig(unsorted_mjd="ignore"), "unsorted_mjd"),
        (lambda: ValidationConfig(not_finite="warn"), "not_finite"),
    ],
)
def test_wrong_values_are_refused_with_flag_and_value(wrong: Callable[[], Any], flag: str) -> None:
    with pytest.raises(UsageError, match="Received") as caught:
        wrong()
    assert flag in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "right",
    [
        lambda: EncoderConfig(d_model=1, num_heads=1, num_layers=1, dropout=0.0, window_size=2),
        lambda: MaskingConfig(0.0, 0.0, 0.0),
        lambda: MaskingConfig(1.0, 1.0, 1.0),
        lambda: TrainingConfig(seed=0, checkpoint_seconds=0.0, decay="cosine", loss_on="hidden"),
    ],
)
def test_bounds_are_inclusive_where_they_say_so(right: Callable[[], Any]) -> None:
    assert right() is not None


@pytest.mark.parametrize("config", CONFIGS)
def test_a_config_survives_json(config: type) -> None:
    assert config(**json.loads(json.dumps(to_dict(config())))) == config()


def test_a_pipeline_config_is_all_plain_json() -> None:
    made = to_dict(PipelineConfig(data="fold_0"))
    assert json.loads(json.dumps(made))["training"]["epochs"] == 100


def test_no_heavy_import(toy) -> None:
    heavy = "{'tensorflow', 'numpy', 'tfx', 'keras', 'pyarrow'}"
    code = f"import sys, pipeline_config; print({heavy} & set(sys.modules))"
    assert toy.python("-c", code).stdout == "set()\n"


@pytest.mark.parametrize("program", [PipelineConfig, RemotePipelineConfig, ClassifierConfig])
def test_every_flag_belongs_to_one_knob_of_a_program(program: type) -> None:
    flags = [flag for knob, _ in all_knobs(program) for flag in knob.metadata.get("flags", ())]
    assert len(set(flags)) == len(flags)


def test_a_cluster_takes_what_one_machine_takes_but_its_database_and_logs() -> None:
    here, there = (
        {knob.name for knob, _ in all_knobs(config)}
        for config in (PipelineConfig, RemotePipelineConfig)
    )
    assert here - there == {"metadata", "keep_logs"}
    assert there <= here


def test_configs_in_configs_survive_json() -> None:
    made = PipelineConfig("fold_0", training=TrainingConfig(learning_rate=2e-3))
    assert from_dict(PipelineConfig, json.loads(json.dumps(to_dict(made)))) == made
    with pytest.raises(UsageError, match="--lr"):
        from_dict(PipelineConfig, {"data": "", "training": {"learning_rate": 0.0}})


def test_what_a_baseline_needs_is_checked_with_the_whole_config() -> None:
    with pytest.raises(UsageError, match="--public-weights"):
        ClassifierConfig("fold", study=StudyConfig(baselines=("random", "public")))
    with pytest.raises(UsageError, match="--bless-over"):
        ClassifierConfig("fold", study=StudyConfig(baselines=("forest",)))


def test_architectures() -> None:
    assert pipeline_config.ARCHITECTURES == ("astromer_v1", "astromer_v2", "astromer_phase")
