"""The Trainer component with AstroMer's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from astromer.encoder.config import EncoderConfig
from astromer.records.config import LightCurveRules
from astromer.serving.config import ServingConfig
from astromer.system.config import to_dict
from astromer.training.config import DebugConfig, Hyperparameters, TensorBoardConfig, TrainingConfig
from astromer.windows.config import MaskingConfig
from components.knobs import execution_parameters, properties
from components.provenance import code_fingerprint
from components.trainer.executor import Executor

RUN_FN = "components.trainer.run_fn.run_fn"


class AstromerTrainerSpec(standard_component_specs.TrainerSpec):
    """That of TFX's Trainer, with a parameter for each knob."""

    PARAMETERS: ClassVar = {
        **standard_component_specs.TrainerSpec.PARAMETERS,
        **execution_parameters(Hyperparameters),
    }


class AstromerTrainer(base_component.BaseComponent):
    """Pre-trains an encoder on the splits ``train`` and ``validation``.

    Args:
        examples: channel of Examples.
        encoder, masking, training: the knobs; each is an execution property of its own.
        runtime: by knob, what stands for its value until the run is started.
        debug: what ``training.debug`` cuts down.
        rules: which observations the served model uses.
        serving: how much it takes in one request.
        tensorboard: what TensorBoard shows besides numbers.
        training_root: folder outside the pipeline root for checkpoints and logs, in one
            subfolder for each set of data, settings and code. TFX's own folders change with
            every run, so a run that was stopped could not go on from them.

    Outputs:
        model: Model with the custom properties of :mod:`components.trainer.executor`.
        model_run: ModelRun that names where checkpoints and logs are.
    """

    SPEC_CLASS = AstromerTrainerSpec
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
        runtime: Mapping[str, Any] = {},
        tensorboard: TensorBoardConfig = TensorBoardConfig(),
        serving: ServingConfig = ServingConfig(),
        debug: DebugConfig = DebugConfig(),
    ):
        knobs = properties(Hyperparameters(encoder, masking, training))
        spec = AstromerTrainerSpec(
            examples=examples,
            run_fn=RUN_FN,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["validation"]),
            custom_config=json_utils.dumps(
                {
                    "debug": to_dict(debug),
                    "rules": to_dict(rules),
                    "serving": to_dict(serving),
                    "tensorboard": to_dict(tensorboard),
                    "training_root": training_root,
                    "code_fingerprint": code_fingerprint(
                        Executor.__module__, RUN_FN.rpartition(".")[0]
                    ),
                }
            ),
            model=types.Channel(type=standard_artifacts.Model),
            model_run=types.Channel(type=standard_artifacts.ModelRun),
            **{name: runtime.get(name, value) for name, value in knobs.items()},
        )
        super().__init__(spec=spec)
