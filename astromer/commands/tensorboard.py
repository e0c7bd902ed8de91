"""Shows the trainings of an output folder in TensorBoard.

astromer tensorboard --output outputs
"""

from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Sequence
from pathlib import Path

from astromer.commands.cli import parse_config
from astromer.system.errors import UsageError
from astromer.system.logs import is_verbose, silence
from astromer.system.storage import as_path
from astromer.system.terminal import say
from astromer.training.config import TensorBoardServerConfig
from astromer.training.tensorboard.event_files import find_runs

_LISTED = 5  # trainings


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
    serve(runs[0] if config.newest else output, config.host, config.port, runs)


def serve(folder: Path, host: str, port: int, runs: Sequence[Path]) -> None:
    """Serves a folder with TensorBoard's own server until Ctrl-C, or SIGTERM.

    Args:
        folder: with event files in it or below.
        host: address to listen at.
        port: 0 for any that is free.
        runs: to list; the newest first.

    Raises:
        UsageError: the port is in use.
    """
    from tensorboard import program

    board = program.TensorBoard()
    quiet = contextlib.nullcontext() if is_verbose() else contextlib.redirect_stderr(io.StringIO())
    try:
        with quiet:
            board.configure(logdir=str(folder), host=host, port=port, reload_interval=5)
            address = board.launch()
    except program.TensorBoardServerException as error:
        raise UsageError(
            f"--port and --host must be free and this machine's. Received: {host}, port {port}: "
            f"{' '.join(str(error).split())}. Choose another --port, or 0 for any."
        ) from error
    for run in runs[:_LISTED]:
        say(f"  {run}")
    if len(runs) > _LISTED:
        say(f"  and {len(runs) - _LISTED} older ones")
    say(f"TensorBoard is at {address} until Ctrl-C")
    try:
        signal.pause()
    except KeyboardInterrupt:
        say("stopped")
