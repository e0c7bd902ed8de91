"""Turns a survey in the raw Parquet layout into fold records.

    python -m astromer.create_records --data SURVEY [--output FOLDER]

SURVEY holds metadata.parquet and light_curves/, and a config.toml where its columns or
paths are not the documented ones (docs/data_format.md). OUTPUT/fold_0, fold_1, ... each get
train, validation and test records; all light curves of a star go to the same subset. No star
is in the test of two folds: together they make a K-fold cross-validation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from astromer.cli import Parser, add_flags, config_from, run_program
from astromer.errors import DataNotFoundError, UsageError
from astromer.logs import silence
from pipeline_config import LightCurveRules, RecordsConfig


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line."""
    parser = Parser(prog="python -m astromer.create_records", description=__doc__)
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of the raw survey")
    parser.add_argument(
        "--output",
        metavar="DIR",
        help="where the folds go (default: [target] path of the config, "
        "or ./data/records/<survey>)",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="description of the survey (default: DIR/config.toml, or the documented layout)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace folds that are there")
    add_flags(parser, RecordsConfig)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the program."""
    args = parse_args(arguments)
    options = config_from(args, RecordsConfig)
    _check_options(options)
    survey = Path(args.data).expanduser()
    if not survey.exists():
        raise DataNotFoundError(f"there is no data folder {survey}. Give a raw survey's folder.")
    if not survey.is_dir():
        raise DataNotFoundError(f"{survey} is a file; give the folder of a raw survey.")

    from astromer.records.survey_config import default_config, load_config

    config_path = Path(args.config).expanduser() if args.config else survey / "config.toml"
    if args.config and not config_path.is_file():
        raise DataNotFoundError(f"there is no config file {config_path}.")
    described = config_path.is_file()
    config = load_config(config_path, survey) if described else default_config(survey)
    output = Path(args.output or config.target).expanduser()

    silence()
    from astromer.records.conversion import convert
    from astromer.records.division import fold_test_fraction
    from astromer.records.summary import summarise, to_table, write_summary

    rules = LightCurveRules()
    conversion = convert(config, options, rules, output, overwrite=args.overwrite)
    summary = summarise(conversion, survey, options, rules)
    write_summary(summary, output / "summary.json")
    print(to_table(summary))
    if options.test_frac > fold_test_fraction(options.test_frac, options.folds):
        print(
            f"--test-frac {options.test_frac:g} became 1/{options.folds}: the tests of "
            f"{options.folds} folds have no star in common"
        )
    print(f"folds and summary.json are in {output}")
    print(f"next: python pipeline/local_runner.py --data {conversion.folders[0]} --debug")
    return 0


def _check_options(options: RecordsConfig) -> None:
    from astromer.records.division import check_fractions

    for name in ("folds", "njobs", "elements_per_shard"):
        if getattr(options, name) < 1:
            flag = "--" + name.replace("_", "-")
            raise UsageError(f"{flag} must be at least 1, got {getattr(options, name)}.")
    if options.seed < 0:
        raise UsageError(f"--seed must not be negative, got {options.seed}.")
    check_fractions(options.val_frac, options.test_frac)


if __name__ == "__main__":
    run_program(main)
