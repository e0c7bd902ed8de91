"""What pre-training and fine-tuning take, with TFX and without."""

from __future__ import annotations

from dataclasses import dataclass

from astromer.encoder.config import EncoderConfig
from astromer.finetuning.config import FinetuneConfig, StudyConfig
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.fold import SPLITS
from astromer.serving.config import STARTER, ServingConfig
from astromer.system.config import OUTPUT, REQUIRED, Config, LogConfig, knob
from astromer.system.errors import UsageError
from astromer.training.config import DebugConfig, Hyperparameters, TensorBoardConfig, TrainingConfig
from astromer.validation.config import ValidationConfig
from astromer.windows.config import MaskingConfig

MODEL = knob(
    STARTER,
    "a SavedModel, or a folder of versions (the one that latest names); starter is the encoder "
    "that comes with the package",
    "--model",
)
EMBEDDINGS = knob(
    REQUIRED, "a Parquet table that astromer embed wrote", "--embeddings", metavar="FILE"
)
FOLD = knob(REQUIRED, "a fold folder", "--data", metavar="FOLD")
SPLIT = knob("test", "split of the fold", "--split", choices=SPLITS)
MASK_SEED = knob(TrainingConfig.seed, "seed of what is hidden", "--seed", bounds="[0, inf)")


@dataclass(frozen=True)
class PretrainingConfig(Config):
    """Data and output."""

    data: str = knob(
        REQUIRED, "folder of fold records, for instance records/fold_0", "--data", metavar="FOLD"
    )
    output: str = knob(
        OUTPUT, "where checkpoints, logs, metadata and versions go", "--output", metavar="FOLDER"
    )
    encoder: EncoderConfig = EncoderConfig()
    masking: MaskingConfig = MaskingConfig()
    training: TrainingConfig = TrainingConfig()
    rules: LightCurveRules = LightCurveRules()
    validation: ValidationConfig = ValidationConfig()
    errors: MissingErrorsConfig = MissingErrorsConfig()
    debug: DebugConfig = DebugConfig()
    tensorboard: TensorBoardConfig = TensorBoardConfig()
    logs: LogConfig = LogConfig()
    serving: ServingConfig = ServingConfig()

    @property
    def hyperparameters(self) -> Hyperparameters:
        """What decides on the weights."""
        return Hyperparameters(self.encoder, self.masking, self.training)


@dataclass(frozen=True)
class ClassificationConfig(Config):
    """Model, data and output."""

    data: str = knob(REQUIRED, "folder of fold records with classes", "--data", metavar="FOLD")
    model: str = MODEL
    output: str = knob("", "where results and models go", "--output", metavar="FOLDER")
    public_weights: str = knob(
        "",
        "zip of weights of the public code for --baselines public",
        "--public-weights",
        metavar="ZIP",
    )
    study: StudyConfig = StudyConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    rules: LightCurveRules = LightCurveRules()
    validation: ValidationConfig = ValidationConfig()
    errors: MissingErrorsConfig = MissingErrorsConfig()
    logs: LogConfig = LogConfig()
    serving: ServingConfig = ServingConfig()

    def __post_init__(self) -> None:
        super().__post_init__()
        if "public" in self.study.baselines and not self.public_weights:
            raise UsageError("--baselines public needs --public-weights ZIP. Received: none.")
