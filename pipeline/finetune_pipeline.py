"""The fine-tuning pipeline: what feeds what. Knows no orchestrator."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tfx.dsl.components.common.importer import Importer
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from astromer.records.fold import SPLITS, Fold
from astromer.serving.saved_model import EXTRA, WEIGHTS
from astromer.system.config import to_dict
from astromer.system.errors import ModelError
from astromer.system.storage import as_path
from components.example_gen import FoldExampleGen
from components.finetuner import ClassifierJudge, Finetuner
from components.provenance import code_fingerprint
from components.pusher import VersionPusher
from components.validator import LightCurveValidator
from pipeline.beam_options import VALIDATOR
from pipeline.pipeline import FINETUNER, JUDGE, PUSHER, VALIDATION_FOLDER
from pipeline_config import ClassifierConfig

PUSHED_ENCODER = "PushedEncoder"


def create_finetune_pipeline(
    config: ClassifierConfig,
    *,
    encoder: str,
    metadata_connection_config: Any = None,
    pipeline_name: str = "",
) -> Pipeline:
    """A pushed encoder and labelled fold records in, a pushed classifier out.

    Args:
        config: all settings.
        encoder: URI of the encoder's PushedModel artifact; where the metadata database knows one
            of this URI, that one is taken, so that the lineage goes back to its survey.
        metadata_connection_config: where lineage is kept; the orchestrator's by default.
        pipeline_name: by which metadata know it; the config's name by default.

    Raises:
        DataNotFoundError: the fold or one of its splits is missing.
        ModelError: the encoder cannot be read.
    """
    output = as_path(config.output).absolute()
    own = finetuning_folder(output)
    fold = Fold.open(as_path(config.data).absolute())
    pushed_encoder = Importer(
        source_uri=encoder, artifact_type=standard_artifacts.PushedModel
    ).with_id(PUSHED_ENCODER)
    example_gen = FoldExampleGen(
        str(fold.path),
        {split: [str(file) for file in fold.files[split]] for split in SPLITS},
        errors=config.errors,
    )
    validator = LightCurveValidator(
        example_gen.outputs["examples"],
        validation=config.validation,
        rules=config.rules,
        report=str(own / VALIDATION_FOLDER),
    ).with_id(VALIDATOR)
    validator.with_beam_pipeline_args(config.component_beam_args.get(VALIDATOR, ()))
    examples = validator.outputs["valid_examples"]
    finetuner = Finetuner(
        examples=examples,
        encoder=pushed_encoder.outputs["result"],
        settings=json.dumps(
            {
                "study": to_dict(config.study),
                "finetune": to_dict(config.finetune),
                "rules": to_dict(config.rules),
                "serving": to_dict(config.serving),
                "public_weights": config.public_weights,
                # Not read: the artifact of an imported folder stays the same when its content
                # changes, and the cache must not.
                "encoder_weights": weights_fingerprint(encoder),
            }
        ),
        work=str(own / "work"),
        code_fingerprint=code_fingerprint("components.finetuner.component"),
    ).with_id(FINETUNER)
    model = finetuner.outputs["model"]
    judge = ClassifierJudge(
        examples=examples,
        model=model,
        results=finetuner.outputs["results"],
        bless_over=config.bless_over,
        code_fingerprint=code_fingerprint("components.finetuner.judge"),
    ).with_id(JUDGE)
    pusher = VersionPusher(
        model,
        judge.outputs["blessing"],
        str(output / "serving" / config.name),
        examples=examples,
        anomalies=validator.outputs["anomalies"],
        evaluation=judge.outputs["evaluation"],
        results=finetuner.outputs["results"],
    ).with_id(PUSHER)
    return Pipeline(
        pipeline_name=pipeline_name or config.name,
        pipeline_root=str(own / "pipeline"),
        components=[pushed_encoder, example_gen, validator, finetuner, judge, pusher],
        enable_cache=True,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(config.beam_args),
    )


def finetuning_folder(output: Path) -> Path:
    """Where fine-tuning keeps what is not served, apart from what pre-training keeps."""
    return output / "finetuning"


def weights_fingerprint(model: str) -> str:
    """sha256 of a model's weights, as hexadecimal digits.

    Raises:
        ModelError: they cannot be read.
    """
    path = as_path(model) / EXTRA / WEIGHTS
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"A pushed model must hold its weights. {path} cannot be read: {error.strerror}. "
            "Export the model again."
        ) from error
