"""Memory that requests to a pushed model take, up to its limits.

    python tools/benchmarks/serving_memory.py

Each model is exported with random weights and asked in a process of its own, from small requests
to those that are just within the limits. What counts is the highest resident memory of the process
during a request, less what it held after a request of one light curve: what a server must have
beside the model itself.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from astromer.commands.cli import Parser, run_program
from astromer.encoder.config import EncoderConfig

SIZES = {
    "documented defaults": EncoderConfig(),
    "`make run`": EncoderConfig("astromer_v2", 64, 2, 2),
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="tools/benchmarks/serving_memory.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--share",
        type=float,
        default=1.0,
        help="largest request as a share of the limits; less is quicker (default: 1)",
    )
    parser.add_argument("--model", help="a pushed model to ask, instead of the two sizes")
    return parser.parse_args(arguments)


def main() -> None:
    """Prints the table; a process for each model."""
    args = parse()

    from astromer.system.logs import silence

    silence()
    if args.model:
        from tools.benchmarks.sections.serving_requests import report_requests

        report_requests(args.model, args.share)
        return
    from astromer.encoder.reconstructor import Reconstructor
    from astromer.serving.export import export_saved_model

    for name, config in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            pushed = Path(folder) / "1"
            export_saved_model(Reconstructor.from_settings(config, seed=0), pushed)
            print(f"{name} ({config.num_layers} layers of {config.d_model})", flush=True)
            command = [sys.executable, __file__, "--model", str(pushed), "--share", str(args.share)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    run_program(main)
