"""Command-line options of validation. Imports nothing heavy."""

from __future__ import annotations

import argparse
import dataclasses
import difflib

from astromer.commands.cli import add_flags, config_from
from astromer.system.errors import UsageError
from astromer.validation.config import ValidationConfig, all_rules


def add_validation_flags(parser: argparse.ArgumentParser) -> None:
    """Adds ``--max-rejected`` and ``--rule``."""
    add_flags(parser, ValidationConfig)
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="NAME=SEVERITY",
        help="severity of a rule: reject, warn, stop or off; may be given several times. Rules: "
        + ", ".join(rule.name for rule in all_rules()),
    )


def validation_config(args: argparse.Namespace) -> ValidationConfig:
    """The config that parsed flags describe.

    Raises:
        UsageError: for an unknown rule, or a severity that it does not take.
    """
    config = config_from(args, ValidationConfig)
    names = [rule.name for rule in all_rules()]
    for given in args.rule:
        name, _, severity = given.partition("=")
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            meant = f" Did you mean {near[0]}?" if near else f" Rules: {', '.join(names)}."
            raise UsageError(f"--rule must be NAME=SEVERITY. Received: {given}.{meant}")
        try:
            config = dataclasses.replace(config, **{name: severity})
        except UsageError as error:
            raise UsageError(f"--rule: {error}") from error
    return config
