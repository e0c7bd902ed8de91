"""Runs the fine-tuning pipeline on this machine: a pushed encoder in, a pushed classifier out.

python pipeline/finetune_runner.py [--model OUTPUT/serving/astromer] --data FOLD
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# Started as a file, Python looks for modules in this folder first, where ``pipeline`` is a
# module instead of the package around it.
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p).resolve() != _HERE)]

from astromer.commands.cli import Parser, add_flags, config_from, joined, run_program
from astromer.commands.finetune import check_public_weights
from astromer.commands.model import chosen_model
from astromer.records.fold import Fold
from astromer.system.config import (
    OUTPUT,
)
from astromer.system.environment import require
from astromer.system.logs import new_log, redirect_output, silence
from astromer.system.storage import as_path, local_path
from astromer.system.storage.lock import locked
from pipeline.beam_options import FLAG, VALIDATOR, add_beam_flag, read_beam_options
from pipeline.local.console import Report, Step
from pipeline.local.failures import one_line_errors, output_folder, refuse_cluster
from pipeline.local.metadata import MetadataDatabase, check_sound, metadata_database, pipeline_name
from pipeline.tfx_patches import quick_imports
from pipeline_config import ClassifierConfig


def parse(arguments: list[str] | None = None) -> ClassifierConfig:
    """The configuration on the command line."""
    parser = Parser(
        prog="python pipeline/finetune_runner.py",
        description="Fine-tunes a pushed encoder on a fold of labelled records and pushes the "
        "classifier.",
        epilog="The same command resumes a stopped run; what has not changed is not done again.",
    )
    add_flags(parser, ClassifierConfig)
    add_beam_flag(parser)
    args = parser.parse_args(joined(sys.argv[1:] if arguments is None else arguments, FLAG))
    beam = read_beam_options(args.beam, components=(VALIDATOR,))
    return dataclasses.replace(
        config_from(args, ClassifierConfig),
        beam_args=beam.everywhere or ClassifierConfig.beam_args,
        component_beam_args=beam.by_component,
    )


def main(arguments: list[str] | None = None) -> int:
    """Checks the input, runs the pipeline and prints the outcome.

    Raises:
        AstromerError: of the kind that fits, for everything that a user can correct.
    """
    config = parse(arguments)
    require("pipeline", "tfx")
    check_public_weights(config.public_weights)
    refuse_cluster("pipeline/finetune_runner.py")
    model = chosen_model(config.model).resolve()
    home = _home_of(model)
    output = output_folder(config.output or str(home or OUTPUT))
    database = metadata_database(config.metadata, home or output)
    fold = Fold.open(config.data)
    require("finetune", "sklearn", "light_curve")
    require("plots", "matplotlib")
    weights = config.public_weights and str(
        local_path(config.public_weights, "--public-weights").resolve()
    )
    config = dataclasses.replace(
        config, data=str(fold.path.resolve()), output=str(output), public_weights=weights
    )
    with contextlib.ExitStack() as held:
        # The metadata are those of the pre-training run: neither may be written by two at once.
        for folder in dict.fromkeys([output, output if config.metadata else home or output]):
            held.enter_context(locked(folder))
        log = new_log(output, config.logs.keep_logs)
        held.enter_context(one_line_errors(log, output))
        return _run(config, model, database, log)


def _home_of(model: Path) -> Path | None:
    """OUTPUT of ``OUTPUT/serving/<name>/<version>``, if there are metadata in it."""
    parents = model.parents
    pushed = len(parents) >= 3 and parents[1].name == "serving"
    return parents[2] if pushed and _database(parents[2]).is_file() else None


def _database(output: Path) -> Path:
    return Path(metadata_database("", output).name)


def _name_in(database: MetadataDatabase, name: str, output: Path) -> str:
    """Other outputs have runs in every database but the one in the output folder."""
    return name if database.name == str(_database(output)) else pipeline_name(name, output)


def _run(config: ClassifierConfig, model: Path, database: MetadataDatabase, log: Path) -> int:
    from pipeline.local.metadata_store import connection_config, open_store

    if not database.is_server:
        check_sound(Path(database.name))
    store = open_store(database)
    report = Report()
    report.say("loading TFX ...")
    silence()
    output = as_path(config.output)
    with redirect_output(log):
        # Imported late: it takes seconds, and prints more than anyone can act on.
        with quick_imports():
            from pipeline.finetune_pipeline import create_finetune_pipeline, finetuning_folder
            from pipeline.local.dag_runner import ReportingDagRunner
            from pipeline.local.metadata_store import archived_copy
            from pipeline.local.outputs import messages, publish_outputs
            from pipeline.local.summary import FinetuneOutcome, conclude
            from pipeline.pipeline import FINETUNER

        own = finetuning_folder(output)

        def ended(step: Step) -> None:
            report.ended(step)
            publish_outputs(step, own)
            for text in messages(step):
                report.say(text)

        encoder = archived_copy(store, model)
        if encoder is None:
            report.say(f"warning: no run that pushed {model} is known, so lineage ends with it")
        runner = ReportingDagRunner(
            output / "serving" / config.name, report.started, ended, maker=FINETUNER
        )
        try:
            runner.run(
                create_finetune_pipeline(
                    config,
                    encoder=encoder or str(model),
                    metadata_connection_config=connection_config(database),
                    pipeline_name=_name_in(database, config.name, output),
                )
            )
        finally:
            report.close()
        outcome = FinetuneOutcome(runner.steps, own)
    conclude(outcome, log)
    return 0


if __name__ == "__main__":
    run_program(main)
