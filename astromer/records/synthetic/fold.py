"""The survey as fold records, made once and recognised afterwards."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.records.fold import SPLITS
from astromer.records.synthetic.config import SurveyConfig
from astromer.records.synthetic.division import divide
from astromer.records.synthetic.survey import make_star
from astromer.system.errors import UsageError
from astromer.system.terminal import progress_bar

MANIFEST = "survey.json"

_REVISION = 1
"""Raised with every change of the stars, so that an older survey is not taken for this one."""

_CONFIG_TOML = """\
# A synthetic survey, made by python -m astromer synthetic; survey.json has its settings.
[id_column]
value = "ID"
dtype = "string"

[target]
path = "."

[context_features]
value = ["ID", "Class", "Band", "Label"]
dtypes = ["string", "string", "string", "integer"]

[sequential_features]
value = ["mjd", "mag", "errmag"]
dtypes = ["float", "float", "float"]
"""


@dataclass(frozen=True)
class Survey:
    """A survey on disk.

    Attributes:
        fold: folder of the fold.
        curves: light curves in each split.
        observations: observations in each split.
        classes: light curves of each class.
        made: false where it was there already.
    """

    fold: Path
    curves: Mapping[str, int]
    observations: Mapping[str, int]
    classes: Mapping[str, int]
    made: bool


def provide_survey(output: Path, config: SurveyConfig, *, overwrite: bool = False) -> Survey:
    """Makes ``output/fold_0``, unless it is there already, complete and with these settings.

    Equal settings give equal bytes. Where making fails, nothing is left behind.

    Args:
        output: folder of the survey.
        config: what to make.
        overwrite: make it anew, also over a survey of other settings.

    Raises:
        UsageError: the fold is another survey's or cannot be written, or the settings give none.
    """
    fold = output / "fold_0"
    found = _read_manifest(fold)
    _refuse_foreign(fold, found, config, overwrite)
    if found is not None and not overwrite and _is_complete(fold, found):
        return _survey(fold, found, made=False)
    return _survey(fold, _write(fold, config), made=True)


def _write(fold: Path, config: SurveyConfig) -> dict[str, Any]:
    division = divide(config)
    # Imported late: the writer loads TensorFlow.
    from astromer.records.codec import encode_light_curve
    from astromer.records.writer import FoldWriter, publish

    observations = dict.fromkeys(SPLITS, 0)
    classes: Counter[str] = Counter()
    with publish([fold], overwrite=True) as (unfinished,):
        with FoldWriter(unfinished, _CONFIG_TOML) as writer:
            stars = progress_bar(range(config.curves), desc="making light curves", unit=" curves")
            for index in stars:
                star = make_star(index, config.seed)
                context: dict[str, str | bytes | int | float] = {
                    "ID": star.id,
                    "Class": star.class_name,
                    "Band": "V",
                    "Label": star.label,
                }
                series = {"mjd": star.mjd, "mag": star.mag, "errmag": star.errmag}
                writer.write(division[index], encode_light_curve(series, context))
                observations[division[index]] += len(star)
                classes[star.class_name] += 1
        manifest = {
            "settings": _settings(config),
            "curves": dict(writer.counts),
            "observations": observations,
            "classes": dict(sorted(classes.items())),
            "files": _sizes(unfinished),
        }
        text = json.dumps(manifest, indent=2) + "\n"
        (unfinished / MANIFEST).write_text(text, encoding="utf-8")
    return manifest


def _settings(config: SurveyConfig) -> dict[str, Any]:
    return {"revision": _REVISION, **dataclasses.asdict(config)}


def _sizes(fold: Path) -> dict[str, int]:
    files = sorted(path for path in fold.rglob("*") if path.is_file())
    return {file.relative_to(fold).as_posix(): file.stat().st_size for file in files}


def _read_manifest(fold: Path) -> dict[str, Any] | None:
    """The manifest of a survey made here before; None where there is none or it is damaged."""
    try:
        manifest = json.loads((fold / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    keys = ("settings", "curves", "observations", "classes", "files")
    complete = isinstance(manifest, dict) and all(isinstance(manifest.get(k), dict) for k in keys)
    return manifest if complete else None


def _refuse_foreign(
    fold: Path, found: dict[str, Any] | None, config: SurveyConfig, overwrite: bool
) -> None:
    if fold.exists() and not fold.is_dir():
        raise UsageError(f"{fold} is a file. Give another --output.")
    if found is None:
        if fold.is_dir() and any(fold.iterdir()):
            raise UsageError(
                f"{fold} is not empty and no synthetic survey (it has no valid {MANIFEST}), so it "
                "is not replaced. Give another --output."
            )
        return
    wanted = _settings(config)
    differing = sorted(
        name for name, value in wanted.items() if found["settings"].get(name) != value
    )
    if differing and not overwrite:
        changes = ", ".join(f"{n} {found['settings'].get(n)}, not {wanted[n]}" for n in differing)
        raise UsageError(
            f"{fold} is a survey of other settings ({changes}). Give another --output, or "
            "--overwrite to replace it."
        )


def _is_complete(fold: Path, manifest: dict[str, Any]) -> bool:
    sizes = _sizes(fold)
    return bool(manifest["files"]) and all(
        sizes.get(name) == size for name, size in manifest["files"].items()
    )


def _survey(fold: Path, manifest: dict[str, Any], *, made: bool) -> Survey:
    return Survey(
        fold, manifest["curves"], manifest["observations"], manifest["classes"], made=made
    )
