"""Pre-trains AstroMer on all visible GPUs with MirroredStrategy."""

from __future__ import annotations

from astromer.commands.cli import run_program
from presentation.pretraining import parse, pretrain


def main() -> None:
    """``python -m presentation.scripts.disttrain --data FOLD``."""
    pretrain(parse(None, "disttrain", __doc__), one_device=False)


if __name__ == "__main__":
    run_program(main)
