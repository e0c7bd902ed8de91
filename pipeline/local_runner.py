"""Runs the pipeline on this machine: fold records in, a pushed SavedModel out.

python pipeline/local_runner.py --data FOLD
python pipeline/local_runner.py --data FOLDS --fold all
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# Started as a file, Python looks for modules in this folder first, where ``pipeline`` is a
# module instead of the package around it.
sys.path[:] = [str(_HERE.parent), *(p for p in sys.path if Path(p).resolve() != _HERE)]

from astromer.commands.cli import Parser, add_flags, config_from, given_knobs, joined, run_program
from astromer.commands.model import with_start
from astromer.records.fold import Fold
from astromer.system.environment import require
from astromer.system.logs import new_log, redirect_output, silence
from astromer.system.storage import local_folder
from astromer.system.storage.lock import locked
from astromer.system.text import PIPELINE
from pipeline.beam_options import FLAG, add_beam_flag, read_beam_options
from pipeline.local.console import Report, Step
from pipeline.local.failures import one_line_errors, output_folder, refuse_cluster, space_needed
from pipeline.local.folds import OUTCOME_FILE, run_folds
from pipeline.local.metadata import (
    MetadataDatabase,
    check_sound,
    metadata_database,
    pipeline_name,
    set_aside_orphans,
)
from pipeline.tfx_patches import quick_imports
from pipeline_config import PipelineConfig


def parse(arguments: list[str] | None = None) -> tuple[PipelineConfig, str]:
    """The configuration on the command line, and ``--fold``."""
    parser = Parser(
        prog=PIPELINE if Path(sys.argv[0]).name == PIPELINE else "python pipeline/local_runner.py",
        description="Pre-trains AstroMer on a fold of records and pushes it as a SavedModel.",
        epilog="The same command resumes a stopped run; what has not changed is not done again.",
    )
    parser.add_argument(
        "--fold",
        default="",
        metavar="all|N",
        help="--data is a folder of folds: run on fold_N, or on each and tell mean and spread",
    )
    add_flags(parser, PipelineConfig)
    add_beam_flag(parser)
    words = joined(sys.argv[1:] if arguments is None else arguments, FLAG)
    args = parser.parse_args(words)
    beam = read_beam_options(args.beam)
    config = dataclasses.replace(
        with_start(config_from(args, PipelineConfig), given_knobs(PipelineConfig, words)),
        beam_args=beam.everywhere or PipelineConfig.beam_args,
        component_beam_args=beam.by_component,
    )
    return config, args.fold


def main(arguments: list[str] | None = None) -> int:
    """Checks the input, runs the pipeline and prints the outcome.

    Raises:
        AstromerError: of the kind that fits, for everything that a user can correct.
    """
    config, choice = parse(arguments)
    require("pipeline", "tfx")
    output = output_folder(config.output)
    refuse_cluster("pipeline/local_runner.py")
    database = metadata_database(config.metadata, output)
    if choice:
        return run_folds(main, config, choice, sys.argv[1:] if arguments is None else arguments)
    fold = Fold.open(config.data)
    config = dataclasses.replace(config, data=str(fold.path.resolve()), output=str(output))
    with locked(output):
        log = new_log(output, config.logs.keep_logs)
        with one_line_errors(log, output, lambda: space_needed(fold)):
            return _run(config, database, output, log)


def _run(config: PipelineConfig, database: MetadataDatabase, output: Path, log: Path) -> int:
    if config.metadata:
        from pipeline.local.metadata_store import open_store

        open_store(database)
    report = Report()
    if not database.is_server:
        check_sound(Path(database.name))
    if not config.metadata:
        aside = set_aside_orphans(Path(database.name), output / "pipeline")
        if aside is not None:
            report.say(
                f"artifacts without metadata are in {aside} now; nothing needs them any more"
            )
    if config.training.init:
        report.say(
            f"the training begins with the weights of {config.training.init} "
            f"(sha256 {config.training.init_sha256[:12]})"
        )
    report.say("loading TFX ...")
    silence()
    with redirect_output(log):
        # Imported late: it takes seconds, and prints more than anyone can act on.
        with quick_imports():
            from components.pushed_version import LatestOtherBlessedModel
            from pipeline.local.dag_runner import ReportingDagRunner
            from pipeline.local.metadata_store import connection_config
            from pipeline.local.outputs import messages, publish_outputs
            from pipeline.local.summary import Outcome, conclude
            from pipeline.pipeline import create_pipeline

        _make_devices(config.training.replicas)

        def ended(step: Step) -> None:
            report.ended(step)
            publish_outputs(step, output)
            for text in messages(step):
                report.say(text)

        serving = output / "serving" / config.name
        runner = ReportingDagRunner(serving, report.started, ended)
        name = pipeline_name(config.name, output) if config.metadata else config.name
        (local_folder(output) / "metadata").mkdir(parents=True, exist_ok=True)
        try:
            runner.run(
                create_pipeline(
                    config,
                    baseline_strategy=LatestOtherBlessedModel,
                    metadata_connection_config=connection_config(database),
                    pipeline_name=name,
                )
            )
        finally:
            report.close()
        outcome = Outcome(runner.steps, output, config.data)
    outcome.write(output / OUTCOME_FILE)
    conclude(outcome, log)
    return 0


def _make_devices(replicas: int) -> None:
    """Devices and their threads can only be chosen before TensorFlow is used for anything."""
    from astromer.system.distribution import make_strategy
    from astromer.system.parallel import claim_cores

    if replicas:
        make_strategy(replicas)
    else:
        claim_cores()


def program() -> None:
    """The command ``astromer-pipeline``."""
    run_program(main)


if __name__ == "__main__":
    program()
