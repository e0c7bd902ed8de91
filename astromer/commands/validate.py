"""Checks every light curve of folds against the rules.

astromer validate --data FOLD
astromer validate --data SURVEY --survey ztf
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from astromer.commands.cli import parse_config
from astromer.records.config import LightCurveRules, MissingErrorsConfig, SurveyOptions
from astromer.records.fold import Fold, natural_key
from astromer.system.config import REQUIRED, Config, knob
from astromer.system.errors import DataAnomalyError
from astromer.system.storage import as_path
from astromer.validation.config import OFF, STOP, ValidationConfig

if TYPE_CHECKING:
    from astromer.validation.findings import Findings


@dataclass(frozen=True)
class ValidateOptions(Config):
    """Data and report."""

    data: tuple[str, ...] = knob(
        REQUIRED,
        "folders of fold records; a folder of folds stands for all of them. Of a survey that is "
        "no fold: say what is understood of its files, and which rows would be left out",
        "--data",
        metavar="FOLD",
    )
    report: str = knob(
        "", "folder for findings, numbers and an HTML page", "--report", metavar="FOLDER"
    )
    reading: SurveyOptions = SurveyOptions()
    validation: ValidationConfig = ValidationConfig()
    errors: MissingErrorsConfig = MissingErrorsConfig()


def parse(arguments: list[str] | None = None) -> ValidateOptions:
    """Reads the options. Imports nothing heavy."""
    return parse_config(
        ValidateOptions,
        arguments,
        prog="astromer validate",
        description=(__doc__ or "").split("\n")[0],
    )


def main(arguments: list[str] | None = None) -> int:
    """Validates folds, prints what was found and writes a report.

    Raises:
        DataAnomalyError: the data should not be trained on.
        AstromerError: for bad options or files; see the subclasses.
    """
    options = parse(arguments)
    config, limits = options.validation, LightCurveRules()
    if any(_is_survey(as_path(given).expanduser()) for given in options.data):
        for given in options.data:
            _check_survey(as_path(given).expanduser(), options)
        return 0
    folds = [Fold.open(path) for given in options.data for path in _folds_in(given)]

    from astromer.system.logs import silence

    silence()
    from astromer.validation.duplicates import shared_test_stars
    from astromer.validation.fold_check import validate_fold
    from astromer.validation.output import terminal_table, write_validation

    refused: list[DataAnomalyError] = []
    for fold, name in zip(folds, _report_names(folds), strict=True):
        validation = validate_fold(fold, config, limits, errors=options.errors)
        report = None
        if options.report:
            report = as_path(options.report) / name
            write_validation(validation, report)
        if len(folds) > 1:
            print(f"{fold.path}:")
        print(terminal_table(validation))
        if report is not None:
            print(f"report: {report}")
        try:
            validation.require_usable(report)
        except DataAnomalyError as error:
            refused.append(error)
    if len(folds) > 1 and config.shared_test_star != OFF:
        shared = shared_test_stars({str(fold.path): fold for fold in folds})
        refused += _tell(shared, config, as_path(options.report) if options.report else None)
    if refused:
        more = f" And {len(refused) - 1} more fold(s)." if len(refused) > 1 else ""
        raise DataAnomalyError(f"{refused[0]}{more}")
    return 0


def _is_survey(path: Path) -> bool:
    """Whether this is a table, or a folder with tables and no records."""
    from astromer.records.sources.names import is_fold, kind_of

    if path.is_file():
        return True
    if not path.is_dir() or is_fold(path) or any(path.glob("fold_*")):
        return False
    return any(kind_of(file) is not None for file in path.rglob("*") if file.is_file())


def _check_survey(path: Path, options: ValidateOptions) -> None:
    """Prints what is understood of a survey's files and what cleaning would leave of them.

    Raises:
        LightCurveError: no light curve is usable.
    """
    import tempfile

    from astromer.records.conversion import count_usable
    from astromer.records.survey_config import describe_survey

    config = describe_survey(options.reading, path)
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(count_usable(config, LightCurveRules(), Path(folder), options.errors)))


def _tell(
    shared: Findings, config: ValidationConfig, report: Path | None
) -> list[DataAnomalyError]:
    """Reports stars that are tested on twice and lists them all in the report's folder."""
    from astromer.validation.output import SHARED_FILE, write_findings

    if report is not None:
        write_findings(shared, report / SHARED_FILE)
    if not len(shared):
        return []
    text = f"{len(shared):,} shared_test_star. The first: {shared[0]}."
    if report is not None:
        text += f" All are in {report / SHARED_FILE}."
    if config.shared_test_star == STOP:
        return [DataAnomalyError(text)]
    print(f"warning: {text}")
    return []


def _report_names(folds: list[Fold]) -> list[str]:
    """A folder in the report for each fold; the report's own for a single one."""
    if len(folds) == 1:
        return [""]
    names = [fold.path.name for fold in folds]
    if len(set(names)) < len(names):
        return [f"{number}_{name}" for number, name in enumerate(names)]
    return names


def _folds_in(given: str) -> list[Path]:
    folder = as_path(given).expanduser()
    if (folder / "train").is_dir():
        return [folder]
    inside = [path for path in folder.glob("fold_*") if path.is_dir()]
    return sorted(inside, key=natural_key) or [folder]
