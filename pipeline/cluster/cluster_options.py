"""The command line that the runners of clusters share. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.commands.cli import Parser, add_flags, config_from, given_knobs
from astromer.commands.model import with_start
from astromer.system.config import OUTPUT, ConfigT, all_knobs
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
    """

    config: RemotePipelineConfig
    cluster: ClusterConfig
    spec: Path


def read_run(
    kind: str, where: str, own: type[ConfigT], arguments: list[str] | None
) -> tuple[ClusterRun, ConfigT]:
    """The run that a command line describes.

    Args:
        kind: "vertex" or "kubeflow".
        where: its name in the help.
        own: config class of this kind of cluster alone.
        arguments: the command line.

    Raises:
        UsageError: for a value that cannot work.
    """
    parser = Parser(
        prog=f"python pipeline/{kind}_runner.py",
        description=f"Compiles the pre-training pipeline for {where}, and submits it if asked to.",
        epilog="The hyperparameters on the command line become the defaults of the compiled "
        "pipeline's parameters: each can be given anew when a run is started.",
    )
    add_flags(parser, RemotePipelineConfig, ClusterConfig, own)
    args = parser.parse_args(arguments)
    cluster, config = config_from(args, ClusterConfig), config_from(args, RemotePipelineConfig)
    config = with_start(config, given_knobs(RemotePipelineConfig, arguments))
    config = dataclasses.replace(
        config,
        data=_place(config.data),
        output=_place(config.output),
        beam_args=read_beam_options([cluster.beam_options], "--beam-options").everywhere,
    )
    spec = Path(cluster.spec or f"{OUTPUT}/compiled/{kind}.yaml").expanduser()
    return ClusterRun(config, cluster, spec), config_from(args, own)


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
        if run.cluster.submit and field.name in names and not getattr(config, field.name):
            raise UsageError(f"--submit needs {field.metadata['flags'][0]}. Received: none.")


def _place(path: str) -> str:
    return str(as_path(path).expanduser().absolute())
