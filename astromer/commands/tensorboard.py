"""Shows the trainings of an output folder in TensorBoard.

astromer tensorboard --output outputs
"""

from __future__ import annotations

from astromer.commands.cli import parse_config
from astromer.system.logs import silence
from astromer.system.storage import as_path
from astromer.training.config import TensorBoardServerConfig
from astromer.training.tensorboard.event_files import find_runs


def parse(arguments: list[str] | None = None) -> TensorBoardServerConfig:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        TensorBoardServerConfig,
        arguments,
        prog="astromer tensorboard",
        description="Shows the trainings of an output folder in TensorBoard.",
        epilog="Trainings that begin later appear by themselves.",
    )


def main(arguments: list[str] | None = None) -> None:
    """Starts the server, says where it is, and waits for Ctrl-C.

    Raises:
        DataNotFoundError: no training has written anything there.
        UsageError: the port is in use.
    """
    config = parse(arguments)
    output = as_path(config.output).expanduser()
    runs = find_runs(output)
    silence()
    print("loading TensorBoard ...", flush=True)
    from astromer.training.tensorboard.server import serve

    serve(runs[0] if config.newest else output, config.host, config.port, runs)
