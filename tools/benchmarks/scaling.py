"""How the cost of training grows: layers, width, window, pass, precision, light curves, replicas.

    python tools/benchmarks/scaling.py [layers width ...] [--bs 128] [--rounds 3]

One size changes at a time, from the documented ones; the points of a table take turns in one
process. Numbers of replicas need a process each. A step has as many windows as keep every core busy
with a pass of 64, unless told otherwise.
"""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from astromer.commands.cli import Parser, run_program
from tools.benchmarks.measuring.options import check_positive, chosen

TABLES = ("layers", "width", "window", "pass", "precision", "curves", "replicas")
_CURVES = (1_000, 10_000, 100_000)
_PRECISIONS = ("float32", "mixed_bfloat16")
_WINDOWS = 64  # of a pass that has a core to itself, at most


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="tools/benchmarks/scaling.py", description=__doc__.split("\n")[0])
    parser.add_argument(
        "tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)} (default: all)"
    )
    parser.add_argument(
        "--bs", type=int, help=f"windows per step (default: {_WINDOWS} for each core)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="turns that count (default: 3)")
    parser.add_argument(
        "--curves",
        type=int,
        nargs="+",
        default=_CURVES,
        help=f"numbers of light curves (default: {' '.join(map(str, _CURVES))})",
    )
    args = parser.parse_args(arguments)
    check_positive(
        {
            "--bs": _WINDOWS if args.bs is None else args.bs,
            "--rounds": args.rounds,
            "--curves": min(args.curves),
        }
    )
    args.tables = chosen(args.tables, TABLES, "TABLE")
    return args


def main(arguments: list[str] | None = None) -> None:
    """Prints the tables as they are ready."""
    args = parse(arguments)

    from astromer.system.logs import silence

    silence()
    from astromer.encoder.config import EncoderConfig
    from astromer.system.parallel import cores
    from astromer.training.config import TrainingConfig
    from tools.benchmarks.measuring.machine import describe
    from tools.benchmarks.sections import scaling

    windows = args.bs or _WINDOWS * cores()
    sizes = EncoderConfig(), TrainingConfig(batch_size=windows)
    by_knob = {
        "layers": (scaling.of_encoder("num_layers", (1, 2, 4, 8), sizes), "4"),
        "width": (scaling.of_encoder("d_model", (64, 128, 256, 512), sizes), "256"),
        "window": (scaling.of_encoder("window_size", (50, 100, 200, 400), sizes), "200"),
        "pass": (scaling.of_training("windows_per_pass", (8, 16, 32, _WINDOWS), sizes), "64"),
        "precision": (scaling.of_training("precision", _PRECISIONS, sizes), "float32"),
    }
    print(f"{describe()}; {windows} windows per step, median of {args.rounds} turns", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in args.tables:
            if name in by_knob:
                points, reference = by_knob[name]
                table = scaling.step_table(name, points, reference, args.rounds, folder)
            elif name == "curves":
                table = scaling.curves_table(folder, args.curves, sizes)
            else:
                table = scaling.replicas_table(sizes, args.rounds, folder)
            print(f"\n{table}", flush=True)


if __name__ == "__main__":
    run_program(main)
