"""Lists the surveys whose files are known, and shows the profile of one, to copy and change.

astromer surveys
astromer surveys --show ztf > my_survey.toml
"""

from __future__ import annotations

from dataclasses import dataclass

from astromer.commands.cli import parse_config
from astromer.system.config import Config, knob


@dataclass(frozen=True)
class SurveysOptions(Config):
    """What to show."""

    show: str = knob("", "print this survey's profile, a TOML file", "--show", metavar="NAME")


def parse(arguments: list[str] | None = None) -> SurveysOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(SurveysOptions, arguments, prog="astromer surveys", description=__doc__)


def main(arguments: list[str] | None = None) -> int:
    """Runs the program.

    Raises:
        UsageError: there is no such survey.
    """
    options = parse(arguments)
    from astromer.records.survey_profile import named_profile, shipped

    if options.show:
        path = named_profile(options.show).path
        print(path.read_text(encoding="utf-8") if path else "", end="")
        return 0
    for name, profile in shipped().items():
        print(f"{name:12} {profile.title}")
    return 0
