"""TensorBoard's own server, started in this process."""

from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Sequence
from pathlib import Path

from tensorboard import program

from astromer.system.errors import UsageError
from astromer.system.logs import is_verbose
from astromer.system.terminal import say

_TOLD = 5


def serve(folder: Path, host: str, port: int, runs: Sequence[Path]) -> None:
    """Serves a folder until Ctrl-C, or SIGTERM.

    Args:
        folder: with event files in it or below.
        host: address to listen at.
        port: 0 for any that is free.
        runs: that are told; the newest first.

    Raises:
        UsageError: the port cannot be had.
    """
    board = program.TensorBoard()
    quiet = contextlib.nullcontext() if is_verbose() else contextlib.redirect_stderr(io.StringIO())
    try:
        with quiet:
            board.configure(logdir=str(folder), host=host, port=port, reload_interval=5)
            address = board.launch()
    except program.TensorBoardServerException as error:
        said = " ".join(str(error).split())
        raise UsageError(
            f"--port and --host must be free and this machine's. Received: {host}, port {port}: "
            f"{said}. Choose another --port, or 0 for any."
        ) from error
    for run in runs[:_TOLD]:
        say(f"  {run}")
    if len(runs) > _TOLD:
        say(f"  and {len(runs) - _TOLD} more, which are older")
    say(f"TensorBoard is at {address} until Ctrl-C")
    try:
        signal.pause()
    except KeyboardInterrupt:
        say("stopped")
