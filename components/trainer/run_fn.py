"""What TFX's Trainer calls: reads the splits, trains, writes the SavedModel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfx.components.trainer.fn_args_utils import FnArgs

from astromer.finetuning.warm_start import Start, starting_point
from astromer.light_curves import LightCurves
from astromer.records.config import LightCurveRules
from astromer.records.reader import read_light_curves
from astromer.serving.config import ServingConfig
from astromer.serving.export import export_saved_model
from astromer.system.config import from_dict
from astromer.system.distribution import fail_together, is_chief, make_strategy, wait_for_all
from astromer.system.environment import MACHINE, describe_machine
from astromer.system.storage import as_path
from astromer.training.config import Hyperparameters, TensorBoardConfig
from astromer.training.loop import train
from astromer.training.report import COURSE, TrainingResult
from astromer.validation.profile import TRAIN_PROFILE, read_train_profile
from astromer.validation.training_range import TRAINED_ON
from components.provenance import DATA_FINGERPRINT, PROCESSING, git_revision, settings_fingerprint
from components.trainer.executor import TRAINING_FILE

# Settings of the training that change neither the model nor how long it is trained.
_WITHOUT_EFFECT = (
    "log_every",
    "checkpoint_seconds",
    "worker_seconds",
    "replicas",
    "windows_per_pass",
)


# What belongs to the run, but not to the weights.
_NOT_TRAINED_ON = ("training_root", "rules", "serving", "tensorboard", PROCESSING)
_OF_VERTEX = "ai_platform_"  # begins TFX's names for where and on what a job runs


def run_fn(fn_args: FnArgs) -> None:
    """Trains on ``fn_args.train_files``, validates on ``eval_files``, exports the best epoch.

    Writes the SavedModel to ``serving_model_dir`` and, beside it, ``training.json``: settings,
    fingerprints, git revision, counts and metrics. Where TF_CONFIG or CLUSTER_SPEC lists several
    workers, the chief alone writes, and the others return when it has.

    Raises:
        TrainingError: training cannot go on.
        UsageError: settings do not fit each other.
        WorkerLostError: another worker has failed or cannot be reached.
    """
    settings = dict(fn_args.custom_config)
    config = from_dict(
        Hyperparameters, {name: settings[name] for name in ("encoder", "masking", "training")}
    )
    training = config.training
    # Before TensorFlow is used for anything else.
    strategy = make_strategy(training.replicas, worker_seconds=training.worker_seconds)
    folder = as_path(settings["training_root"]) / trainer_fingerprint(settings)
    with fail_together(strategy):
        start = starting_point(config.encoder, training)
        result = train(
            _read(fn_args.train_files, is_chief(strategy)),
            _read(fn_args.eval_files, is_chief(strategy)),
            encoder=config.encoder,
            masking=config.masking,
            training=training,
            checkpoint_dir=folder / "checkpoints",
            log_dir=folder / "logs",
            tensorboard=TensorBoardConfig(**settings["tensorboard"]),
            strategy=strategy,
            initial=start.weights,
        )
        if is_chief(strategy):
            _write(result, fn_args, settings, folder, start)
    wait_for_all(strategy, "exported")


def _write(
    result: TrainingResult, fn_args: FnArgs, settings: dict[str, Any], folder: Path, start: Start
) -> None:
    provenance = {
        **start.facts(),
        "fingerprint": trainer_fingerprint(settings),
        "data_fingerprint": settings[DATA_FINGERPRINT],
        PROCESSING: settings.get(PROCESSING, {}),
        "code_fingerprint": settings["code_fingerprint"],
        "git_revision": git_revision(),
        MACHINE: describe_machine(),
        "masking": settings["masking"],
        "training": settings["training"],
        "summary": result.summary,
    }
    rules = LightCurveRules(**settings["rules"])
    data = as_path(fn_args.train_files[0]).parent.parent
    course = result.course()
    profile = {TRAIN_PROFILE: read_train_profile(data), TRAINED_ON: result.trained_on}
    metadata = {**provenance, **profile, COURSE: course}
    serving = ServingConfig(**settings["serving"])
    export_saved_model(result.model, fn_args.serving_model_dir, metadata, rules, serving)
    facts = {
        **provenance,
        "encoder": settings["encoder"],
        **course,
        "checkpoint_dir": str(folder / "checkpoints"),
        "log_dir": str(folder / "logs"),
    }
    (as_path(fn_args.serving_model_dir).parent / TRAINING_FILE).write_text(
        json.dumps(facts, indent=1)
    )


def trainer_fingerprint(settings: dict[str, Any]) -> str:
    """Names a training run by its data, settings and code."""
    kept = {
        name: value
        for name, value in settings.items()
        if name not in _NOT_TRAINED_ON and not name.startswith(_OF_VERTEX)
    }
    kept["training"] = {
        name: value for name, value in kept["training"].items() if name not in _WITHOUT_EFFECT
    }
    return settings_fingerprint(kept)


def _read(patterns: Sequence[str], progress: bool) -> LightCurves:
    # TFX's patterns are "folder/*"; listing works where a folder's name looks like a glob.
    folders = [as_path(pattern).parent for pattern in patterns]
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    return read_light_curves(files, progress=progress)
