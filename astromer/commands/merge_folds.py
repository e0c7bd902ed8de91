"""Joins folds of several surveys into one, to pre-train on all of them.

    astromer merge_folds --data asas/fold_0 sss/fold_0 --output asas_sss

Each split of the new fold holds the records of the same split of each survey, unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

from astromer.commands.cli import parse_config
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import UsageError
from astromer.system.storage import as_path
from astromer.system.text import shell_word


@dataclass(frozen=True)
class MergeOptions(Config):
    """Data and output."""

    data: tuple[str, ...] = knob(REQUIRED, "fold folders, two or more", "--data", metavar="FOLD")
    output: str = knob(REQUIRED, "the new fold", "--output", metavar="FOLDER")
    overwrite: bool = knob(False, "replace a fold that is there", "--overwrite")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.data) < 2:
            raise UsageError(f"--data must name two folds or more. Received: {self.data[0]}.")


def parse(arguments: list[str] | None = None) -> MergeOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(MergeOptions, arguments, prog="astromer merge_folds", description=__doc__)


def main(arguments: list[str] | None = None) -> None:
    """Runs the program."""
    options = parse(arguments)
    folders = [as_path(name).expanduser() for name in options.data]
    output = as_path(options.output).expanduser()
    if len({folder.resolve() for folder in (*folders, output)}) <= len(folders):
        raise UsageError(
            "--data and --output must be different folders. Received: "
            f"{' '.join(map(str, folders))} and {output}."
        )

    from astromer.records.fold import Fold
    from astromer.records.writer import merge_folds, survey_names

    folds = dict(zip(survey_names(folders), map(Fold.open, folders)))
    counts = merge_folds(folds, output, overwrite=options.overwrite)
    print(f"{', '.join(folds)} in {output}:")
    for split, files in counts.items():
        print(f"  {split:<11}{files:>5} record file(s)")
    print(f"next: astromer validate --data {shell_word(output)}")
