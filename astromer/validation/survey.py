"""Validates a fold in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from astromer.records.config import LightCurveRules, MissingErrorsConfig
from astromer.records.fold import SPLITS, Fold
from astromer.records.framing import estimate_records
from astromer.system.progress import progress_bar
from astromer.validation.assembly import assemble
from astromer.validation.config import ValidationConfig
from astromer.validation.duplicates import KINDS, Match, find_matches
from astromer.validation.file_check import FileLook, look_at
from astromer.validation.identity import Identities
from astromer.validation.result import Validation


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
    files = [file for split in fold.files.values() for file in split]
    total = estimate_records(files) if progress else None
    with progress_bar(total=total, desc="validating", unit="curves", disable=not progress) as bar:
        looks, matches = look_at_all(fold.files, config, limits, bar.update, errors)
    return assemble(fold.files, looks, matches, config, errors=errors)


def look_at_all(
    files: Mapping[str, Sequence[Path]],
    config: ValidationConfig,
    limits: LightCurveRules,
    progress: Callable[[int], object] = lambda count: None,
    errors: MissingErrorsConfig = MissingErrorsConfig(),
) -> tuple[list[FileLook], list[Match]]:
    """Looks at record files one after another, then for light curves that are alike.

    Args:
        files: by split.
        config, limits, progress, errors: as in :func:`astromer.validation.file_check.look_at`.

    Returns:
        What :func:`astromer.validation.assembly.assemble` takes: a look for each file, and the
        matches between them.

    Raises:
        RecordError: a file is corrupt or a record is no light curve.
    """
    looks = [
        look_at(file, number, index, config, limits, progress, errors)
        for number, split in enumerate(SPLITS)
        for index, file in enumerate(files[split])
    ]
    identities = Identities.concatenate([look.identities for look in looks])
    return looks, [match for kind in KINDS for match in find_matches(identities, kind, config)]
