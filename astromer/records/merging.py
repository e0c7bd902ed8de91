"""Joins folds of several surveys into one, split by split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from astromer.records.fold import SPLITS, Fold
from astromer.records.publishing import publish
from astromer.records.survey_config import features_toml
from astromer.system.atomic import cut_name
from astromer.system.errors import UsageError
from astromer.system.storage import as_path
from astromer.system.storage.trees import copy_file
from astromer.system.terminal import progress_bar
from astromer.system.text import brief
from astromer.system.untrusted_files import read_toml, to_toml


def merge_folds(
    folds: Mapping[str, Fold], output: str | Path, *, overwrite: bool = False
) -> dict[str, int]:
    """Copies the record files of each split, byte for byte, into one new fold.

    Files are called ``<survey>_<old name>``. ``config.toml`` names the context features that
    all surveys have alike, and what was done to the values of each (``[processing.<survey>]``).

    Args:
        folds: by the name of their survey.
        output: the new fold.
        overwrite: replace what is there.

    Returns:
        Number of record files in each split.

    Raises:
        UsageError: the output is in use, or a config is no TOML.
    """
    text = _merged_config({name: _read_config(fold) for name, fold in folds.items()})
    with (
        publish([as_path(output)], overwrite=overwrite) as (unfinished,),
        progress_bar(total=_size(folds), desc="copying", unit="B", unit_scale=True) as bar,
    ):
        for split in SPLITS:
            (unfinished / split).mkdir()
            for name, fold in folds.items():
                for file in fold.files[split]:
                    copy_file(file, unfinished / split / f"{name}_{file.name}")
                    bar.update(file.stat().st_size)
            if text:
                (unfinished / split / "config.toml").write_text(text, encoding="utf-8")
        if text:
            (unfinished / "config.toml").write_text(text, encoding="utf-8")
    return {split: sum(len(fold.files[split]) for fold in folds.values()) for split in SPLITS}


def survey_names(folders: Sequence[Path]) -> list[str]:
    """A name for the survey of each fold folder: its own, or its parent's for ``fold_N``."""
    places = [folder.resolve() for folder in folders]
    names = [p.parent.name if p.name.startswith("fold_") else p.name for p in places]
    names = [cut_name(name, most=150) for name in names]  # files are called after them
    counted = {name: names.count(name) for name in names}
    return [f"{n}_{i}" if counted[n] > 1 else n for i, n in enumerate(names)]


def _size(folds: Mapping[str, Fold]) -> int:
    """Bytes of all record files."""
    files = (file for fold in folds.values() for split in SPLITS for file in fold.files[split])
    return sum(file.stat().st_size for file in files)


def _read_config(fold: Fold) -> dict[str, Any]:
    if fold.config_path is None:
        return {}
    try:
        return read_toml(fold.config_path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{fold.config_path} cannot be read as TOML: {brief(error)}.") from None


def _merged_config(configs: Mapping[str, dict[str, Any]]) -> str:
    """The text of the new ``config.toml``; empty where the surveys have no feature in common."""
    common: dict[str, str] | None = None
    for config in configs.values():
        described = config.get("context_features", {})
        features = dict(zip(described.get("value", ()), described.get("dtypes", ())))
        if common is None:
            common = features
        common = {name: kind for name, kind in common.items() if features.get(name) == kind}
    if not common:
        return ""
    first = next(iter(configs.values())).get("id_column", {}).get("value")
    text = features_toml(first if first in common else next(iter(common)), common)
    for name, config in configs.items():
        done = config.get("processing")
        if isinstance(done, dict) and done:
            lines = [f"{key} = {to_toml(value)}" for key, value in done.items()]
            text += "\n".join(["", f"[processing.{to_toml(name)}]", *lines, ""])
    return text
