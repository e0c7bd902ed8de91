"""Joins folds of several surveys into one, to pre-train on all of them.

    astromer merge_folds --data asas/fold_0 sss/fold_0 --output asas_sss

Each split of the new fold holds the records of the same split of each survey, unchanged.
"""

from __future__ import annotations

import argparse

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import UsageError
from astromer.system.storage import as_path
from astromer.system.text import shell_word


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the options. Imports nothing heavy."""
    parser = Parser(prog="astromer merge_folds", description=__doc__)
    parser.add_argument(
        "--data", required=True, nargs="+", metavar="FOLD", help="fold folders, two or more"
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="the new fold")
    parser.add_argument("--overwrite", action="store_true", help="replace a fold that is there")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    args = parse(arguments)
    if len(args.data) < 2:
        raise UsageError(f"--data must name two folds or more. Received: {args.data[0]}.")
    folders = [as_path(name).expanduser() for name in args.data]
    output = as_path(args.output).expanduser()
    if len({folder.resolve() for folder in (*folders, output)}) <= len(folders):
        raise UsageError(
            "--data and --output must be different folders. Received: "
            f"{' '.join(map(str, folders))} and {output}."
        )

    from astromer.records.fold import Fold
    from astromer.records.writer import merge_folds, survey_names

    folds = dict(zip(survey_names(folders), map(Fold.open, folders)))
    counts = merge_folds(folds, output, overwrite=args.overwrite)
    print(f"{', '.join(folds)} in {output}:")
    for split, files in counts.items():
        print(f"  {split:<11}{files:>5} record file(s)")
    print(f"next: astromer validate --data {shell_word(output)}")


if __name__ == "__main__":
    run_program(main)
