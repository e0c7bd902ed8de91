"""The command line that the runners of clusters share. Imports nothing heavy."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.commands.cli import Parser, add_flags, config_from
from astromer.system.config import all_knobs
from astromer.system.errors import UsageError
from astromer.system.storage import as_path
from astromer.training.config import Hyperparameters
from pipeline.beam_options import read_beam_options
from pipeline_config import ClusterConfig, RemotePipelineConfig


@dataclass(frozen=True)
class ClusterRun:
    """What the command line asks for.

    Attributes:
        config: of the pipeline; ``output`` and ``data`` are places that the cluster reaches.
        cluster: on what it runs.
        spec: file that takes the compiled pipeline.
        submit: whether to start it, too.
        schedule: cron expression; where not empty, it is started again and again.
        options: all of the command line, for what belongs to one kind of cluster.
    """

    config: RemotePipelineConfig
    cluster: ClusterConfig
    spec: Path
    submit: bool
    schedule: str
    options: argparse.Namespace


def make_parser(program: str, where: str, spec: str, *configs: type) -> Parser:
    """The parser of a runner.

    Args:
        program: its name.
        where: the kind of cluster, for the help.
        spec: default of ``--spec``.
        configs: config classes of this kind of cluster alone.
    """
    parser = Parser(
        prog=f"python pipeline/{program}.py",
        description=f"Compiles the pre-training pipeline for {where}, and submits it if asked to.",
        epilog="The hyperparameters on the command line become the defaults of the compiled "
        "pipeline's parameters: each can be given anew when a run is started.",
    )
    parser.add_argument(
        "--spec", default=spec, metavar="FILE", help=f"the compiled pipeline (default: {spec})"
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--compile-only", action="store_true", help="write the compiled pipeline; the default"
    )
    action.add_argument("--submit", action="store_true", help="compile and start a run")
    parser.add_argument(
        "--schedule",
        default="",
        metavar="CRON",
        help="with --submit: start a run again and again instead of once",
    )
    add_flags(parser, RemotePipelineConfig, ClusterConfig, *configs)
    return parser


def read_options(parser: Parser, arguments: list[str] | None) -> ClusterRun:
    """The run that a command line describes.

    Raises:
        UsageError: for a value that cannot work.
    """
    args = parser.parse_args(arguments)
    cluster = config_from(args, ClusterConfig)
    spec = Path(args.spec).expanduser()
    if spec.suffix not in (".yaml", ".yml"):
        raise UsageError(f"--spec must be the name of a .yaml file. Received: {args.spec}.")
    if args.schedule and not args.submit:
        raise UsageError(f"--schedule needs --submit. Received: --schedule {args.schedule}.")
    config = config_from(args, RemotePipelineConfig)
    config = dataclasses.replace(
        config,
        data=_place(config.data),
        output=_place(config.output),
        beam_args=read_beam_options([cluster.beam_options], "--beam-options").everywhere,
    )
    return ClusterRun(config, cluster, spec, args.submit, args.schedule, args)


def parameter_names() -> dict[str, str]:
    """The parameter of the compiled pipeline for each knob: its flag without dashes."""
    return {
        knob.name: knob.metadata["flags"][0].lstrip("-").replace("-", "_")
        for knob, _ in all_knobs(Hyperparameters)
    }


def need(run: ClusterRun, config: Any, *names: str) -> None:
    """Refuses a submission that lacks something.

    Args:
        run: what is asked for.
        config: of this kind of cluster.
        names: its knobs that must not be empty.

    Raises:
        UsageError: naming the flag.
    """
    for field in dataclasses.fields(config):
        if run.submit and field.name in names and not getattr(config, field.name):
            raise UsageError(f"--submit needs {field.metadata['flags'][0]}. Received: none.")


def _place(path: str) -> str:
    return str(as_path(path).expanduser().absolute())
