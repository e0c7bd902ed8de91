from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

import pipeline_config
from pipeline_config import (
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
    ReportConfig,
    StudyConfig,
    TensorBoardConfig,
    TensorBoardServerConfig,
    TrainingConfig,
    ValidationConfig,
    VertexConfig,
    check,
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


def all_knobs(*configs: type) -> dict[str, Any]:
    return {
        flag: knob.default
        for config in configs
        for knob in dataclasses.fields(config)
        for flag in knob.metadata["flags"]
    }


def test_documented_options_have_their_documented_defaults() -> None:
    knobs = all_knobs(EncoderConfig, TrainingConfig)
    assert {flag: knobs[flag] for flag in DOCUMENTED} == DOCUMENTED
    assert {flag: type(knobs[flag]) for flag in DOCUMENTED} == {
        flag: type(value) for flag, value in DOCUMENTED.items()
    }
    assert knobs["--seed"] == 42
    records = {"--folds": 1, "--val-frac": 0.2, "--test-frac": 0.2, "--njobs": 4}
    assert all_knobs(RecordsConfig) == {**records, "--elements-per-shard": 200000, "--seed": 42}


@pytest.mark.parametrize("config", CONFIGS)
def test_defaults_are_valid_frozen_and_have_reasons(config: type) -> None:
    made = config()
    check(made)
    for knob in dataclasses.fields(config):
        assert len(knob.metadata["reason"]) > 10, knob.name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, dataclasses.fields(config)[0].name, 1)


@pytest.mark.parametrize(
    ("wrong", "flag"),
    [
        (EncoderConfig("astromer_v3"), "--model"),
        (EncoderConfig(d_model=0), "--hidden"),
        (EncoderConfig(d_model=10, num_heads=4), "--n-heads"),
        (EncoderConfig(num_layers=0), "--n-layers"),
        (EncoderConfig(num_heads=0), "--n-heads"),
        (EncoderConfig(ffn_dim=-1), "--ffn"),
        (EncoderConfig(dropout=1.0), "--dropout"),
        (EncoderConfig(dropout=-0.1), "--dropout"),
        (EncoderConfig(dropout=math.nan), "--dropout"),
        (EncoderConfig(pe_base=1.0), "--pe-base"),
        (TrainingConfig(epochs=0), "--epochs"),
        (TrainingConfig(batch_size=0), "--bs"),
        (TrainingConfig(learning_rate=0.0), "--lr"),
        (TrainingConfig(learning_rate=math.inf), "--lr"),
        (TrainingConfig(learning_rate=math.nan), "--lr"),
        (TrainingConfig(patience=0), "--patience"),
        (TrainingConfig(log_every=0), "--log-every"),
        (TrainingConfig(seed=-1), "--seed"),
        (TrainingConfig(decay="linear"), "--decay"),
        (TrainingConfig(loss_on="same"), "--loss-on"),
        (TrainingConfig(clip_norm=-1.0), "--clip-norm"),
        (TrainingConfig(replicas=-1), "--replicas"),
        (MaskingConfig(probed=1.1), "--probed"),
        (MaskingConfig(same=-0.1), "--same"),
        (MaskingConfig(random=math.nan), "--random"),
        (RecordsConfig(val_frac=0.5, test_frac=0.5), "--val-frac"),
        (RecordsConfig(folds=0), "--folds"),
        (LogConfig(0), "--keep-logs"),
        (TensorBoardConfig(image_epochs=-1), "--image-epochs"),
        (TensorBoardConfig(image_curves=0), "--image-curves"),
        (TensorBoardConfig(projector_curves=-1), "--projector-curves"),
        (EvaluationConfig(batch_size=0), "batch_size"),
        (ClusterConfig(gpu_count=-1), "--gpus"),
        (ClusterConfig(trainer_retries=-1), "--trainer-retries"),
        (FinetuneConfig(head="sum"), "--head"),
        (StudyConfig(shots=(20, -1)), "--shots"),
        (StudyConfig(shots=()), "--shots"),
        (StudyConfig(baselines=("random", "oracle")), "--baselines"),
        (ReportConfig(scored_windows=0), "--report-windows"),
        (ReportConfig(embedding_map="umap"), "--report-map"),
        (MissingErrorsConfig("guess"), "--missing-errors"),
        (MissingErrorsConfig(error_fill=0.0), "--error-fill"),
        (ValidationConfig(max_rejected=1.5), "--max-rejected"),
        (ValidationConfig(unsorted_mjd="ignore"), "unsorted_mjd"),
        (ValidationConfig(not_finite="warn"), "not_finite"),
    ],
)
def test_wrong_values_are_refused_with_flag_and_value(wrong: Any, flag: str) -> None:
    with pytest.raises(ValueError, match="Received") as caught:
        check(wrong)
    assert flag in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "right",
    [
        EncoderConfig(d_model=1, num_heads=1, num_layers=1, dropout=0.0, window_size=2),
        MaskingConfig(0.0, 0.0, 0.0),
        MaskingConfig(1.0, 1.0, 1.0),
        TrainingConfig(seed=0, checkpoint_seconds=0.0, decay="cosine", loss_on="hidden"),
    ],
)
def test_bounds_are_inclusive_where_they_say_so(right: Any) -> None:
    check(right)


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


def test_every_flag_belongs_to_one_knob_of_a_program() -> None:
    flags = [
        flag
        for config in (EncoderConfig, TrainingConfig, MaskingConfig)
        for knob in dataclasses.fields(config)
        for flag in knob.metadata["flags"]
    ]
    assert len(set(flags)) == len(flags)
    assert pipeline_config.ARCHITECTURES == ("astromer_v1", "astromer_v2")
