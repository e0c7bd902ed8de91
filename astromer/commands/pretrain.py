"""Pre-training without TFX: from a fold to a SavedModel, by one command.

``python -m presentation.scripts.pretrain`` and ``disttrain`` are this program on one device
and on all of them.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from astromer.commands.cli import Parser, add_flags, config_from
from astromer.commands.validation_flags import add_validation_flags, validation_config
from astromer.encoder.config import EncoderConfig
from astromer.evaluation.config import EvaluationConfig
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.fold import Fold
from astromer.serving.config import ServingConfig
from astromer.system.atomic import replace_folder
from astromer.system.cluster import read_cluster
from astromer.system.config import OUTPUT, LogConfig
from astromer.system.logs import new_log, noise_to
from astromer.system.storage import make_folder
from astromer.system.terminal import pass_by, say
from astromer.system.text import shell_word
from astromer.training.config import DebugConfig, TensorBoardConfig, TrainingConfig
from astromer.validation.config import ValidationConfig
from astromer.windows.config import MaskingConfig

if TYPE_CHECKING:
    from astromer.light_curves import LightCurves
    from astromer.training.report import TrainingResult


def parse(arguments: list[str] | None, program: str, description: str) -> argparse.Namespace:
    """Reads the documented options. Imports nothing heavy."""
    parser = Parser(prog=program, description=description)
    parser.add_argument("--data", required=True, help="a fold folder, for instance records/fold_0")
    parser.add_argument("--output", default=OUTPUT, help="where checkpoints, logs and the model go")
    add_flags(
        parser,
        EncoderConfig,
        TrainingConfig,
        MaskingConfig,
        MissingErrorsConfig,
        TensorBoardConfig,
        LogConfig,
        ServingConfig,
    )
    add_validation_flags(parser)
    return parser.parse_args(arguments)


def pretrain(args: argparse.Namespace, *, one_device: bool) -> Path:
    """Trains on a fold, evaluates on its test split and writes a SavedModel.

    The same command goes on where an interrupted one stopped. Everything lies in
    ``OUTPUT/pretrain/<model>_<fingerprint>``: ``checkpoints/``, ``logs/`` (TensorBoard) and
    ``model/``; other settings or data make another folder.

    Returns:
        The folder of the SavedModel.

    Raises:
        AstromerError: for bad options or data; see the subclasses.
        WorkerLostError: another of several workers has failed.
    """
    encoder = config_from(args, EncoderConfig)
    masking = config_from(args, MaskingConfig)
    training = config_from(args, TrainingConfig)
    validation = validation_config(args)
    errors = config_from(args, MissingErrorsConfig)
    board = config_from(args, TensorBoardConfig)
    keep = config_from(args, LogConfig).keep_logs
    serving = config_from(args, ServingConfig)
    fold = Fold.open(args.data)
    limit = None
    if training.debug:
        limit = DebugConfig().curves_per_split
        training = DebugConfig().shortened(training)

    from astromer.system.logs import silence

    silence()
    with contextlib.ExitStack() as stack:
        if read_cluster() is None:  # what starts several workers collects what they print
            log = new_log(make_folder(args.output, "--output"), keep)
            stack.enter_context(noise_to(log))
        return _pretrain(
            args.output,
            fold,
            encoder,
            masking,
            training,
            validation,
            errors,
            board,
            serving,
            limit,
            one_device,
        )


def _pretrain(
    place: str,
    fold: Fold,
    encoder: EncoderConfig,
    masking: MaskingConfig,
    training: TrainingConfig,
    validation: ValidationConfig,
    errors: MissingErrorsConfig,
    board: TensorBoardConfig,
    serving: ServingConfig,
    limit: int | None,
    one_device: bool,
) -> Path:
    from astromer.system.distribution import is_chief, make_strategy, together, wait_for_all
    from astromer.training.loop import train
    from astromer.training.state import run_fingerprint
    from astromer.validation.fold_check import accepted_curves

    strategy = make_strategy(
        training.replicas, one_device=one_device, worker_seconds=training.worker_seconds
    )
    chief = is_chief(strategy)
    with together(strategy):
        output = make_folder(place, "--output")
        report = output / "validation" if chief else None
        curves = accepted_curves(fold, validation, LightCurveRules(), report, limit, errors)
        name = run_fingerprint(encoder, masking, training, curves["train"], curves["validation"])
        folder = output / "pretrain" / f"{encoder.architecture}_{name[:12]}"
        if chief:
            say(f"Training in {folder}")
            say(f"watch it: python -m astromer tensorboard --output {shell_word(output)}")
        result = train(
            curves["train"],
            curves["validation"],
            encoder=encoder,
            masking=masking,
            training=training,
            checkpoint_dir=folder / "checkpoints",
            log_dir=folder / "logs",
            tensorboard=board,
            strategy=strategy,
        )
        if chief:
            _finish(result, curves["test"], masking, training.seed, folder / "model", serving)
    wait_for_all(strategy, "exported")
    return folder / "model"


def _finish(
    result: TrainingResult,
    test: LightCurves,
    masking: MaskingConfig,
    seed: int,
    model: Path,
    serving: ServingConfig,
) -> None:
    """Evaluates on the test split and writes the SavedModel."""
    from astromer.evaluation.evaluation import evaluate
    from astromer.serving.export import export_saved_model
    from astromer.system.environment import MACHINE, describe_machine
    from astromer.training.report import COURSE

    evaluation = evaluate(
        result.model,
        test,
        masking=masking,
        seed=seed,
        batch_size=EvaluationConfig().batch_size,
        progress=True,
    )
    pass_by("exporting the SavedModel ...")
    metadata = {
        "training": result.summary,
        "test": evaluation.metrics,
        COURSE: result.course(),
        MACHINE: describe_machine(),
    }
    with replace_folder(model) as partial:
        export_saved_model(result.model, partial, metadata, serving=serving)
    pass_by("")
    say(f"\nTest split, {len(test)} light curves:\n{evaluation.table(by_group=True)}")
    say(f"\nSavedModel: {model}")
