"""Validation before training, for programs without a pipeline."""

from __future__ import annotations

from pathlib import Path

from astromer.light_curves import LightCurves
from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.fold import Fold
from astromer.records.reader import read_light_curves
from astromer.system.terminal import say
from astromer.validation.config import ValidationConfig
from astromer.validation.outcome import refuse_if_bad
from astromer.validation.output import terminal_table, write_validation
from astromer.validation.survey import validate_fold


def accepted_curves(
    fold: Fold,
    config: ValidationConfig,
    limits: LightCurveRules,
    report: Path | None,
    limit: int | None = None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> dict[str, LightCurves]:
    """Validates a fold, prints what was found and reads what may be trained on.

    Args:
        fold: the records.
        config, limits: the rules.
        report: folder that is replaced by the findings; None writes and prints nothing.
        limit: most light curves of a split.
        errors: how missing errors are filled in.

    Returns:
        The accepted light curves by split, each sorted by time.

    Raises:
        DataNotFoundError, RecordError: as :func:`~astromer.validation.survey.validate_fold`.
        DataAnomalyError: the data should not be trained on.
    """
    validation = validate_fold(fold, config, limits, progress=report is not None, errors=errors)
    table = terminal_table(validation, config, limits)
    if report is not None:
        write_validation(validation, config, limits, report)
    refuse_if_bad(validation, config, report, table)
    if report is not None:
        say(table)
    return {
        split: read_light_curves(
            files,
            limit=limit,
            leave_out=validation.rejected[split],
            errors=errors,
            progress=report is not None,
        )
        for split, files in fold.files.items()
    }
