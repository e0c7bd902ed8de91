"""The Trainer component with AstroMer's settings."""

from __future__ import annotations

from tfx import types
from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base import executor_spec
from tfx.proto import trainer_pb2

from components.provenance import code_fingerprint
from components.trainer.executor import Executor
from pipeline_config import EncoderConfig, LightCurveRules, MaskingConfig, TrainingConfig, to_dict

RUN_FN = "components.trainer.run_fn.run_fn"
_CODE = ("astromer", "components/trainer", "pipeline_config.py")


class AstromerTrainer(Trainer):
    """Pre-trains an encoder on the splits ``train`` and ``validation``.

    Args:
        examples: channel of Examples.
        encoder, masking, training: the knobs.
        rules: which observations the served model uses.
        training_root: folder outside the pipeline root for checkpoints and logs, in one
            subfolder for each set of data, settings and code. TFX's own folders change with
            every run, so a run that was stopped could not go on from them.

    Outputs:
        model: Model with the custom properties of :mod:`components.trainer.executor`.
        model_run: ModelRun that tells where checkpoints and logs are.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        *,
        encoder: EncoderConfig,
        masking: MaskingConfig,
        training: TrainingConfig,
        rules: LightCurveRules,
        training_root: str,
    ):
        super().__init__(
            examples=examples,
            run_fn=RUN_FN,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["validation"]),
            custom_config={
                "encoder": to_dict(encoder),
                "masking": to_dict(masking),
                "training": to_dict(training),
                "rules": to_dict(rules),
                "training_root": training_root,
                "code_fingerprint": code_fingerprint(*_CODE),
            },
        )
