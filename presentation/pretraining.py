"""Pre-training without TFX: from a fold to a SavedModel, by one command.

``python -m presentation.scripts.pretrain`` and ``disttrain`` are this program on one device
and on all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from astromer.commands.cli import given_knobs, parse_config
from astromer.commands.config import PretrainingConfig
from astromer.commands.model import with_start
from astromer.evaluation.config import EvaluationConfig
from astromer.records.fold import Fold
from astromer.system.atomic import replace_folder
from astromer.system.cluster import read_cluster
from astromer.system.logs import new_log, redirect_output
from astromer.system.storage import make_folder
from astromer.system.terminal import say, show_status
from astromer.system.text import shell_word

if TYPE_CHECKING:
    from astromer.light_curves import LightCurves
    from astromer.training.report import TrainingResult


def parse(arguments: list[str] | None, program: str, description: str) -> PretrainingConfig:
    """Reads the options. Imports nothing heavy."""
    config = parse_config(PretrainingConfig, arguments, prog=program, description=description)
    return with_start(config, given_knobs(PretrainingConfig, arguments))


def pretrain(config: PretrainingConfig, *, one_device: bool) -> Path:
    """Trains on a fold, evaluates on its test split and writes a SavedModel.

    The same command resumes an interrupted one. Everything lies in
    ``OUTPUT/pretrain/<model>_<fingerprint>``: ``checkpoints/``, ``logs/`` (TensorBoard) and
    ``model/``; other settings or data make another folder.

    Returns:
        The folder of the SavedModel.

    Raises:
        AstromerError: for bad options or data; see the subclasses.
        WorkerLostError: another of several workers has failed.
    """
    fold = Fold.open(config.data)

    from astromer.system.logs import silence

    silence()
    cluster = read_cluster()
    process, processes = (f"{cluster.job}{cluster.index}", len(cluster)) if cluster else ("", 1)
    output = make_folder(config.output, "--output")
    with redirect_output(new_log(output, config.logs.keep_logs * processes, process)):
        return _pretrain(config, fold, one_device)


def _pretrain(config: PretrainingConfig, fold: Fold, one_device: bool) -> Path:
    from astromer.finetuning.warm_start import starting_point
    from astromer.system.distribution import fail_together, is_chief, make_strategy, wait_for_all
    from astromer.training.loop import train
    from astromer.training.state import run_fingerprint
    from astromer.validation.fold_check import accepted_curves

    encoder, masking, training, limit = config.encoder, config.masking, config.training, None
    if training.debug:
        limit = config.debug.curves_per_split
        training = config.debug.shortened(training)
    strategy = make_strategy(
        training.replicas, one_device=one_device, worker_seconds=training.worker_seconds
    )
    chief = is_chief(strategy)
    with fail_together(strategy):
        output = make_folder(config.output, "--output")
        report = output / "validation" if chief else None
        curves = accepted_curves(
            fold, config.validation, config.rules, report, limit, config.errors
        )
        start = starting_point(encoder, training)
        name = run_fingerprint(
            encoder, masking, training, curves["train"], curves["validation"], start.weights
        )
        folder = output / "pretrain" / f"{encoder.architecture}_{name[:12]}"
        if chief:
            say(f"Training in {folder}")
            if start.identity:
                say(f"it begins with the weights of {start.identity}")
            say(f"watch it: astromer tensorboard --output {shell_word(output)}")
        result = train(
            curves["train"],
            curves["validation"],
            encoder=encoder,
            masking=masking,
            training=training,
            checkpoint_dir=folder / "checkpoints",
            log_dir=folder / "logs",
            tensorboard=config.tensorboard,
            strategy=strategy,
            initial=start.weights,
        )
        if chief:
            _finish(result, curves["test"], config, folder / "model", start.facts())
    wait_for_all(strategy, "exported")
    return folder / "model"


def _finish(
    result: TrainingResult,
    test: LightCurves,
    config: PretrainingConfig,
    model: Path,
    start: dict[str, Any],
) -> None:
    """Evaluates on the test split and writes the SavedModel."""
    from astromer.evaluation.evaluation import evaluate
    from astromer.serving.export import export_saved_model
    from astromer.system.environment import MACHINE, describe_machine
    from astromer.training.report import COURSE
    from astromer.validation.training_range import TRAINED_ON

    evaluation = evaluate(
        result.model,
        test,
        masking=config.masking,
        seed=config.training.seed,
        batch_size=EvaluationConfig().batch_size,
        progress=True,
    )
    show_status("exporting the SavedModel ...")
    metadata = {
        **start,
        "training": result.summary,
        "test": evaluation.metrics,
        COURSE: result.course(),
        TRAINED_ON: result.trained_on,
        MACHINE: describe_machine(),
    }
    with replace_folder(model) as partial:
        export_saved_model(result.model, partial, metadata, config.rules, config.serving)
    show_status("")
    say(f"\nTest split, {len(test)} light curves:\n{evaluation.table(by_group=True)}")
    say(f"\nSavedModel: {model}")
