"""Makes the built-in survey of synthetic light curves as fold records.

astromer synthetic --output data/synthetic
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from astromer.commands.cli import parse_config
from astromer.records.config import SyntheticConfig
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.logs import silence
from astromer.system.text import pipeline_command, shell_word


@dataclass(frozen=True)
class SyntheticOptions(Config):
    """Output."""

    output: str = knob(
        REQUIRED, "folder of the survey; gets FOLDER/fold_0", "--output", metavar="FOLDER"
    )
    survey: SyntheticConfig = SyntheticConfig()
    overwrite: bool = knob(False, "make it anew, also over one of other settings", "--overwrite")


def parse(arguments: list[str] | None = None) -> SyntheticOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        SyntheticOptions,
        arguments,
        prog="astromer synthetic",
        description="Makes a seeded survey of realistic variable stars as fold records.",
        epilog="A complete survey of the same settings is left as it is.",
    )


def main(arguments: list[str] | None = None) -> None:
    """Makes the survey, or finds that it is there, and prints what it holds.

    Raises:
        UsageError: a setting or the output folder cannot work.
    """
    options = parse(arguments)
    silence()
    from astromer.records.synthetic.built_in import provide_survey

    survey = provide_survey(
        Path(options.output).expanduser(), options.survey, overwrite=options.overwrite
    )
    verb = "made" if survey.made else "already there, complete and with these settings:"
    print(f"{verb} {survey.fold}")
    for split, curves in survey.curves.items():
        print(
            f"  {split:<11}{curves:>7,} light curves{survey.observations[split]:>11,} observations"
        )
    print("  classes: " + ", ".join(f"{name} {n}" for name, n in survey.classes.items()))
    print(f"next: {pipeline_command()} --data {shell_word(survey.fold)}")
