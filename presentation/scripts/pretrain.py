"""Pre-trains AstroMer on a single GPU, or on the CPU where there is none."""

from __future__ import annotations

from astromer.commands.cli import run_program
from presentation.pretraining import parse, pretrain


def main() -> None:
    """``python -m presentation.scripts.pretrain --data FOLD``."""
    pretrain(parse(None, "pretrain", __doc__), one_device=True)


if __name__ == "__main__":
    run_program(main)
