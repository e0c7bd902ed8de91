"""Turns a survey into fold records.

    astromer create_records --data SURVEY [--output FOLDER]

SURVEY is one of (docs/data_format.md):
  a folder with metadata.parquet and light_curves/*.parquet;
  a folder with a CSV, DAT, TXT or FITS file for each light curve, and metadata.csv or none;
  one long CSV, FITS or Parquet table with a column of ids;
  a fold of records, to be cleaned and divided again.
A config.toml in the folder says what its columns are called, where they have no usual names.

OUTPUT/fold_0, fold_1, ... each get train, validation and test records; all light curves of a
star go to the same subset. No star is in the test of two folds: together they make a K-fold
cross-validation.
"""

from __future__ import annotations

import dataclasses
import gc
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from astromer.commands.cli import parse_config
from astromer.records.config import LightCurveRules, MissingErrorsConfig, RecordsConfig
from astromer.system.atomic import write_file
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import DataNotFoundError, UsageError
from astromer.system.logs import silence
from astromer.system.storage import as_path, local_path
from astromer.system.text import pipeline_command, shell_word

if TYPE_CHECKING:
    from astromer.records.survey_config import SurveyConfig


@dataclass(frozen=True)
class CreateRecordsOptions(Config):
    """The survey and the output."""

    data: str = knob(REQUIRED, "the survey: a folder or a table", "--data", metavar="PATH")
    output: str = knob(
        "",
        "where the folds go (default: [target] path of the config, or ./data/records/<survey>)",
        "--output",
        metavar="FOLDER",
    )
    config: str = knob(
        "",
        "description of the survey (default: PATH/config.toml, or the usual names)",
        "--config",
        metavar="FILE",
    )
    metadata: str = knob(
        "",
        "table of the light curves or stars (default: PATH/metadata.parquet, .csv or .fits)",
        "--metadata",
        metavar="FILE",
    )
    band: tuple[str, ...] = knob(
        (),
        "only light curves in these bands (default: all, one light curve for each)",
        "--band",
        metavar="BAND",
    )
    columns: str = knob(
        "",
        "names of the columns of text files without a header (default: mjd,mag,errmag)",
        "--columns",
        metavar="NAME,NAME,...",
    )
    flux: bool = knob(False, "the survey has fluxes; needs --zero-point", "--flux")
    zero_point: float | None = knob(
        None, "magnitude of a flux of 1 (with --flux)", "--zero-point", metavar="MAG"
    )
    time_offset: float | None = knob(
        None,
        "days to add to the times to get MJD, for instance -2400000.5 to a JD (default: 0)",
        "--time-offset",
        metavar="DAYS",
    )
    overwrite: bool = knob(False, "replace folds that are there", "--overwrite")
    records: RecordsConfig = RecordsConfig()
    errors: MissingErrorsConfig = MissingErrorsConfig()


def parse(arguments: list[str] | None = None) -> CreateRecordsOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        CreateRecordsOptions,
        arguments,
        prog="astromer create_records",
        description=__doc__,
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the program."""
    args = parse(arguments)
    options, errors = args.records, args.errors
    survey = local_path(args.data, "--data").expanduser()
    if not survey.exists():
        raise DataNotFoundError(
            f"--data must be a folder or a table. Received: {survey}, which does not exist. "
            "Correct the path; docs/data_format.md has the layouts."
        )
    config = _describe(args, survey)
    output = as_path(args.output or config.target).expanduser()

    silence()
    from astromer.records.conversion import convert_survey, summary_table
    from astromer.records.division import fold_test_fraction

    # Under Python 3.10 pyarrow asks the garbage collector about every object that it knows, each
    # time that it reads text: the longest part of reading many small files.
    gc.freeze()
    rules = LightCurveRules()
    bands = tuple(dict.fromkeys(args.band or ()))
    summary = convert_survey(
        config, options, rules, output, errors=errors, bands=bands, overwrite=args.overwrite
    )
    summary = {"survey": str(survey), **summary}
    write_file(output / "summary.json", json.dumps(summary, indent=2) + "\n")
    print(summary_table(summary))
    if options.test_frac > fold_test_fraction(options.test_frac, options.folds):
        print(
            f"--test-frac {options.test_frac:g} became 1/{options.folds}: the tests of "
            f"{options.folds} folds have no star in common"
        )
    print(f"folds and summary.json are in {output}")
    print(f"next: {pipeline_command()} --data {shell_word(output / 'fold_0')} --debug")
    return 0


def _describe(args: CreateRecordsOptions, survey: Path) -> SurveyConfig:
    """The survey's config, with what the options say in its place."""
    from astromer.records.sources.names import is_fold
    from astromer.records.survey_config import default_config, load_config

    path = local_path(args.config or survey / "config.toml", "--config").expanduser()
    metadata = local_path(args.metadata, "--metadata").expanduser() if args.metadata else None
    for option, file in (("config", args.config and path), ("metadata", metadata)):
        if file and not file.is_file():
            raise DataNotFoundError(f"there is no {option} file {file}.")
    # The config of a fold describes its records, which describe themselves.
    if args.config or (path.is_file() and not is_fold(survey)):
        config = load_config(path, survey, metadata)
    else:
        config = default_config(survey, metadata)
    calibration = config.calibration
    if args.flux and args.zero_point is None and calibration.zero_point is None:
        raise UsageError(
            "--flux needs --zero-point, the magnitude of a flux of 1. Received: --flux alone. Look "
            "it up in the survey's description; that of TESS is 20.44."
        )
    if args.zero_point is not None and not (args.flux or calibration.zero_point is not None):
        raise UsageError("--zero-point is for fluxes: give --flux too.")
    if args.zero_point is not None:
        calibration = dataclasses.replace(calibration, zero_point=args.zero_point)
    if args.time_offset is not None:
        calibration = dataclasses.replace(calibration, time_offset=args.time_offset)
    columns = config.columns
    if args.columns:
        columns = tuple(name.strip() for name in args.columns.split(","))
    return dataclasses.replace(config, calibration=calibration, columns=columns)
