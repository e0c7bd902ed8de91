"""The built-in survey: seeded, realistic irregular light curves, to try everything without data.

Pulsating stars, eclipsing binaries, long-period variables, spotted stars, quasars and constant
stars, seen through seasons, moonlight and weather with magnitude-dependent errors and outliers.
``astromer synthetic --output DIR`` writes one as fold records, once; it is recognised afterwards.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.light_curves import LightCurve, LightCurves
from astromer.records.config import SyntheticConfig
from astromer.records.encoding import encode_curve
from astromer.records.fold import SPLITS
from astromer.records.synthetic.built_in_stars import (
    VARIABILITY,
    Nights,
    nights,
    observe,
    visit_times,
)
from astromer.records.writer import FoldWriter, write_folders
from astromer.system.errors import UsageError
from astromer.system.terminal import progress_bar

MIN_OBSERVATIONS = 40
MAX_OBSERVATIONS = 1200
NUM_FIELDS = 24

# Separate random streams, so that star 7 is the same star in a survey of 20 and one of 2,000.
_FIELD_STREAM = 1
_STAR_STREAM = 2


@dataclass(frozen=True)
class StarClass:
    """One kind of object.

    Attributes:
        name: as in variable-star catalogues.
        share: stars out of every 20.
        bright: brightest mean magnitude.
        faint: faintest mean magnitude.
    """

    name: str
    share: int
    bright: float
    faint: float


STAR_CLASSES = (
    StarClass("Cep_0", 3, 12.5, 17.0),
    StarClass("Const", 1, 12.0, 18.5),
    StarClass("DSCT", 1, 12.5, 17.0),
    StarClass("EA", 2, 12.0, 17.5),
    StarClass("EW", 2, 12.5, 17.5),
    StarClass("Mira", 2, 12.0, 15.5),
    StarClass("QSO", 1, 15.5, 18.5),
    StarClass("ROT", 1, 12.0, 16.5),
    StarClass("RRab", 3, 13.0, 17.8),
    StarClass("RRc", 2, 13.0, 17.8),
    StarClass("SR", 2, 12.0, 16.5),
)
"""Sorted by name; a class's index is its label."""


def _in_rounds() -> tuple[int, ...]:
    """The labels of 20 successive stars, classes interleaved so that few stars show them all."""
    largest = max(star_class.share for star_class in STAR_CLASSES)
    return tuple(
        label
        for turn in range(largest)
        for label, star_class in enumerate(STAR_CLASSES)
        if turn < star_class.share
    )


_LABELS_IN_TURN = _in_rounds()


def label_of(index: int) -> int:
    """The class of star number ``index``, which no seed changes."""
    return _LABELS_IN_TURN[index % len(_LABELS_IN_TURN)]


def make_star(index: int, seed: int) -> LightCurve:
    """Star number ``index`` of the survey ``seed``.

    Returns:
        a light curve of 40 to 1200 observations at increasing times; magnitudes have three
        decimals, MJD five.
    """
    label = label_of(index)
    star_class = STAR_CLASSES[label]
    rng = np.random.default_rng([seed, _STAR_STREAM, index])
    field = _field(int(rng.integers(NUM_FIELDS)), seed)
    mean_mag = rng.triangular(star_class.bright, star_class.faint, star_class.faint)
    # A star near the edge of the detector is missed in many visits.
    covered = rng.random(len(field.mjd)) < rng.uniform(0.5, 1.0)
    true_mag = mean_mag + VARIABILITY[star_class.name](field.mjd, rng)
    mag, errmag, detected = observe(true_mag, field.depth, rng)
    visits = _choose(covered, detected, rng)
    return LightCurve(
        mjd=field.mjd[visits],
        mag=mag[visits].astype(np.float32),
        errmag=errmag[visits].astype(np.float32),
        id=f"SYN-{seed}-{index:06d}",
        label=label,
        class_name=star_class.name,
    )


def make_survey(
    curves: int, seed: int, progress: Callable[[Iterable[int]], Iterable[int]] = iter
) -> LightCurves:
    """A survey of ``curves`` stars; equal arguments give equal arrays.

    Args:
        progress: wraps the iteration over the stars, for instance in a progress bar.

    Raises:
        ValueError: ``curves`` or ``seed`` is negative.
    """
    if curves < 0 or seed < 0:
        raise ValueError(f"curves and seed must not be negative, got {curves} and {seed}")
    return LightCurves.from_curves(make_star(index, seed) for index in progress(range(curves)))


def _field(number: int, seed: int) -> Nights:
    rng = np.random.default_rng([seed, _FIELD_STREAM, number])
    return nights(visit_times(rng), rng)


def _choose(covered: np.ndarray, detected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """int64 [40..1200], the visits that enter the light curve, in order."""
    chosen = np.flatnonzero(covered & detected)
    if len(chosen) < MIN_OBSERVATIONS:
        chosen = np.flatnonzero(detected)
    if len(chosen) < MIN_OBSERVATIONS:
        chosen = np.arange(len(detected))
    if len(chosen) > MAX_OBSERVATIONS:
        chosen = np.sort(rng.choice(chosen, MAX_OBSERVATIONS, replace=False))
    return chosen


_DIVISION_STREAM = 3

_MANIFEST = "survey.json"

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
                writer.write(division[index], encode_curve(star, "V"))
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
        (unfinished / _MANIFEST).write_text(text, encoding="utf-8")
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
        manifest = json.loads((fold / _MANIFEST).read_text(encoding="utf-8"))
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
                f"{fold} is not empty and no synthetic survey (it has no valid {_MANIFEST}), so it "
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
