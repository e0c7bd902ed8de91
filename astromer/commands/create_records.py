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

from astromer.commands.cli import parse_config
from astromer.records.config import (
    LightCurveRules,
    MissingErrorsConfig,
    RecordsConfig,
    SurveyOptions,
)
from astromer.system.atomic import write_file
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import DataNotFoundError
from astromer.system.logs import silence
from astromer.system.storage import as_path, local_path
from astromer.system.text import pipeline_command, shell_word


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
    periods: str = knob(
        "",
        "table of known periods [days], with a column of ids (default: a column of the metadata)",
        "--periods",
        metavar="FILE",
    )
    band: tuple[str, ...] = knob(
        (),
        "only light curves in these bands (default: all, one light curve for each)",
        "--band",
        metavar="BAND",
    )
    overwrite: bool = knob(False, "replace folds that are there", "--overwrite")
    dry_run: bool = knob(False, "say what is understood of the survey, and stop", "--dry-run")
    reading: SurveyOptions = SurveyOptions()
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
    from astromer.records.survey_config import describe_survey

    config = describe_survey(args.reading, survey)
    if args.periods:
        periods = local_path(args.periods, "--periods").expanduser()
        if not periods.is_file():
            raise DataNotFoundError(f"there is no periods file {periods}.")
        config = dataclasses.replace(config, period_table=periods)
    output = as_path(args.output or config.target).expanduser()

    silence()
    from astromer.records.conversion import convert_survey, summary_table
    from astromer.records.division import fold_test_fraction
    from astromer.records.sources.survey import understand_survey

    # Under Python 3.10 pyarrow asks the garbage collector about every object that it knows, each
    # time that it reads text: the longest part of reading many small files.
    gc.freeze()
    if args.dry_run:
        print("\n".join(understand_survey(config, options.njobs)))
        return 0
    rules = LightCurveRules()
    bands = tuple(dict.fromkeys(args.band or ()))
    summary = convert_survey(
        config,
        options,
        rules,
        output,
        errors=errors,
        bands=bands,
        overwrite=args.overwrite,
        announce=lambda understood: print("\n".join(understood.lines()), flush=True),
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
