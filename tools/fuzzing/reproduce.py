"""Tries one input again, without the fuzzer.

python tools/fuzzing/reproduce.py TARGET FILE
"""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import DataNotFoundError
from tools.fuzzing.targets import NAMES


def parse(arguments: list[str] | None = None) -> Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="python tools/fuzzing/reproduce.py", description=__doc__.split("\n")[0])
    parser.add_argument("target", choices=NAMES, metavar="TARGET", help=f"of {', '.join(NAMES)}")
    parser.add_argument("file", metavar="FILE", help="the input, for instance of .fuzz/crashes/")
    args = parser.parse_args(arguments)
    if not Path(args.file).is_file():
        raise DataNotFoundError(f"FILE must be a file. Received: {args.file}, which is none.")
    return args


def main(arguments: list[str] | None = None) -> None:
    """Ends with a traceback where the property does not hold."""
    args = parse(arguments)

    from astromer.system.logs import silence

    silence()
    from tools.fuzzing.targets import load_target

    with tempfile.TemporaryDirectory() as folder:
        load_target(args.target).check(Path(args.file).read_bytes(), Path(folder))
    print(f"{args.target}: the property holds for {args.file}")


if __name__ == "__main__":
    run_program(main)
