"""Validates a fold in this process."""

from __future__ import annotations

from astromer.progress import progress_bar
from astromer.records.fold import SPLITS, Fold
from astromer.validation.assembly import assemble
from astromer.validation.duplicates import KINDS, find_matches
from astromer.validation.identity import Identities
from astromer.validation.look import look_at
from astromer.validation.result import Validation
from pipeline_config import LightCurveRules, MissingErrorsConfig, ValidationConfig


def validate_fold(
    fold: Fold,
    config: ValidationConfig = ValidationConfig(),
    limits: LightCurveRules = LightCurveRules(),
    progress: bool = True,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> Validation:
    """Looks at every light curve of a fold.

    Memory goes with the largest batch, and with about 200 bytes for each light curve.

    Raises:
        DataNotFoundError: a split holds no light curves.
        RecordError: a file is corrupt or a record is no light curve.
    """
    looks = []
    with progress_bar(desc="validating", unit=" curves", disable=not progress) as bar:
        for number, split in enumerate(SPLITS):
            for index, file in enumerate(fold.files[split]):
                looks.append(look_at(file, number, index, config, limits, bar.update, errors))
    identities = Identities.concatenate([look.identities for look in looks])
    matches = [match for kind in KINDS for match in find_matches(identities, kind, config)]
    return assemble(fold.files, looks, matches, config, errors=errors)
