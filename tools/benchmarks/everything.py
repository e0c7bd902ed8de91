"""One table of the package's speed: input pipeline, train step, training from records, embedding,
periods.

    python tools/benchmarks/everything.py [input training embedding periods] [--rounds 3]

Everything is measured beside a plain implementation of the same mathematics (``baseline.py``,
``plain_input.py``) at the documented settings, and training in bfloat16, too. Each way has a
process of its own, with the threads that suit it; they take turns. Minutes on two quiet cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from astromer.commands.cli import Parser, run_program
from tools.benchmarks.measuring.options import check_positive, chosen

SECTIONS = ("input", "training", "embedding", "periods")


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy."""
    description = __doc__.split("\n")[0]
    parser = Parser(prog="tools/benchmarks/everything.py", description=description)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="turns that count (default: 3)")
    args = parser.parse_args(arguments)
    check_positive({"--rounds": args.rounds})
    args.sections = chosen(args.sections, SECTIONS, "SECTION")
    return args


def main(arguments: list[str] | None = None) -> None:
    """Prints the table."""
    args = parse(arguments)

    from astromer.system.logs import silence

    silence()
    from tools.benchmarks.measuring.machine import describe
    from tools.benchmarks.measuring.table import HEAD, LEGEND, lines
    from tools.benchmarks.sections import embedding, input_pipeline, periods, training

    started, notes = time.monotonic(), []
    print(f"{describe()}; median of {args.rounds} turns\n\n{HEAD}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sections = {
            "input": lambda: input_pipeline.sections(folder),
            "training": lambda: [training.section(folder)],
            "embedding": lambda: [embedding.section(folder)],
            "periods": lambda: [periods.section()],
        }
        for name in args.sections:
            for section in sections[name]():
                rows, more = section.run(args.rounds)
                notes += [f"{name}: {note}" for note in more]
                print("\n".join(lines(rows)), flush=True)
            if name == "input":
                notes.append(input_pipeline.first_batch(folder, args.rounds))
            if name == "training":
                notes.append(training.products_note())
    print("\n".join(["", *notes, LEGEND, "", f"Measured in {time.monotonic() - started:.0f} s."]))


if __name__ == "__main__":
    run_program(main)
