"""The built-in survey as fold records, made once and recognised afterwards."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.records.config import SyntheticConfig
from astromer.records.encoding import ContextValue, encode_light_curve
from astromer.records.fold import SPLITS
from astromer.records.synthetic.stars import label_of, make_star
from astromer.records.writer import FoldWriter, write_folders
from astromer.system.errors import UsageError
from astromer.system.terminal import progress_bar

_DIVISION_STREAM = 3

MANIFEST = "survey.json"

_REVISION = 1
"""Raised with every change of the stars, so that an older survey is not taken for this one."""

_CONFIG_TOML = """\
# A synthetic survey, made by astromer synthetic; survey.json has its settings.
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
class SyntheticFold:
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


def provide_survey(
    output: Path, config: SyntheticConfig, *, overwrite: bool = False
) -> SyntheticFold:
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
        manifest, made = found, False
    else:
        manifest, made = _write(fold, config), True
    return SyntheticFold(
        fold, manifest["curves"], manifest["observations"], manifest["classes"], made
    )


def _write(fold: Path, config: SyntheticConfig) -> dict[str, Any]:
    division = split_of_stars(config)
    observations = dict.fromkeys(SPLITS, 0)
    classes: Counter[str] = Counter()
    with write_folders([fold], overwrite=True) as (unfinished,):
        with FoldWriter(unfinished, _CONFIG_TOML) as writer:
            stars = progress_bar(range(config.curves), desc="making light curves", unit=" curves")
            for index in stars:
                star = make_star(index, config.seed)
                context: dict[str, ContextValue] = {
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


def split_of_stars(config: SyntheticConfig) -> list[str]:
    """The split of each star, 'train', 'validation' or 'test', stratified by class.

    Raises:
        UsageError: there are too few stars for the fractions.
    """
    labels = np.array([label_of(index) for index in range(config.curves)])
    rng = np.random.default_rng([config.seed, _DIVISION_STREAM])
    by_class = np.lexsort((rng.random(len(labels)), labels))
    shares = np.array([1 - config.val_frac - config.test_frac, config.val_frac, config.test_frac])
    division = [""] * len(labels)
    counts = np.zeros(len(SPLITS))
    # Along the stars sorted by class, the split that lags most behind its share is next: at
    # every point, so within every class, the counts are within a star or two of the shares.
    for position, star in enumerate(by_class, start=1):
        behind = int(np.argmax(shares * position - counts))
        counts[behind] += 1
        division[star] = SPLITS[behind]
    empty = [split for split, count in zip(SPLITS, counts) if not count]
    if empty:
        raise UsageError(
            f"{config.curves} stars leave none for {' and '.join(empty)} at --val-frac "
            f"{config.val_frac} and --test-frac {config.test_frac}. Give more --curves."
        )
    return division


def _settings(config: SyntheticConfig) -> dict[str, Any]:
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
    fold: Path, found: dict[str, Any] | None, config: SyntheticConfig, overwrite: bool
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
    before, wanted = found["settings"], _settings(config)
    differing = sorted(name for name, value in wanted.items() if before.get(name) != value)
    if differing and not overwrite:
        changes = ", ".join(f"{n} {before.get(n)}, not {wanted[n]}" for n in differing)
        raise UsageError(
            f"{fold} is a survey of other settings ({changes}). Give another --output, or "
            "--overwrite to replace it."
        )


def _is_complete(fold: Path, manifest: dict[str, Any]) -> bool:
    sizes = _sizes(fold)
    return bool(manifest["files"]) and all(
        sizes.get(name) == size for name, size in manifest["files"].items()
    )
