"""Counts of the data of a run by split, class and band, and of the rejected objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astromer.light_curves import LightCurves
from astromer.records.fold import SPLITS
from astromer.records.sources.tables import parquet_file
from astromer.validation.output import FINDINGS_FILE, SUMMARY_FILE
from astromer.validation.profile import UNKNOWN

_MOST_ROWS = 24


@dataclass(frozen=True)
class DataSummary:
    """Tables for the page.

    Attributes:
        splits: names of the columns.
        counts: rows of a name, and a number for each split.
        rejections: rows of rule, severity, and a number for each split.
        classes, bands: rows of name, and a number for each split; the rarest are joined.
        headline: how many were rejected, in words.
        complete: True where the validation's findings are known.
    """

    splits: tuple[str, ...]
    counts: list[tuple[str, list[int]]]
    rejections: list[tuple[str, str, list[int]]] = field(default_factory=list)
    classes: list[tuple[str, list[int]]] = field(default_factory=list)
    bands: list[tuple[str, list[int]]] = field(default_factory=list)
    headline: str = ""
    complete: bool = True


def summarise_data(validation: Path | None, split: str, curves: LightCurves) -> DataSummary:
    """From the validation's files, or from the light curves of one split where there are none.

    Args:
        validation: folder of its files.
        split: name of the split.
        curves: its light curves.
    """
    if validation is None or not (validation / SUMMARY_FILE).is_file():
        return _of_curves(split, curves)
    summary = json.loads((validation / SUMMARY_FILE).read_text(encoding="utf-8"))
    splits = tuple(name for name in SPLITS if name in summary["curves"])
    profiles = [summary["profiles"].get(name, {}) for name in splits]
    checked = [summary["curves"][name] for name in splits]
    rejected = [summary["rejected"][name] for name in splits]
    counts = [
        ("light curves checked", checked),
        ("rejected", rejected),
        ("accepted", [all_ - out for all_, out in zip(checked, rejected)]),
        ("observations accepted", [profile.get("observations", 0) for profile in profiles]),
    ]
    return DataSummary(
        splits,
        counts,
        _by_rule(validation, splits, summary["rules"]),
        _by_name([profile.get("classes", {}) for profile in profiles]),
        _by_name([profile.get("bands", {}) for profile in profiles]),
        summary["headline"],
    )


def _of_curves(split: str, curves: LightCurves) -> DataSummary:
    classes = Counter(name or UNKNOWN for name in curves.class_names.tolist())
    counts = [("light curves", [len(curves)]), ("observations", [curves.num_observations])]
    return DataSummary((split,), counts, classes=_by_name([classes]), complete=False)


def _by_rule(
    validation: Path, splits: tuple[str, ...], rules: Mapping[str, Any]
) -> list[tuple[str, str, list[int]]]:

    with (validation / FINDINGS_FILE).open("rb") as file:
        table = parquet_file(file).read(columns=["rule", "split"])
    counts = Counter(zip(table["rule"].to_pylist(), table["split"].to_pylist()))
    broken = {rule for rule, _ in counts}
    return [
        (name, rule["severity"], [counts[name, split] for split in splits])
        for name, rule in rules.items()
        if name in broken
    ]


def _by_name(columns: list[Mapping[str, int]]) -> list[tuple[str, list[int]]]:
    total: Counter[str] = Counter()
    for column in columns:
        total.update(column)
    ordered = sorted(total, key=lambda name: (-total[name], name))
    rows = [(name, [column.get(name, 0) for column in columns]) for name in ordered[:_MOST_ROWS]]
    if rest := ordered[_MOST_ROWS:]:
        joined = [sum(column.get(name, 0) for name in rest) for column in columns]
        rows.append((f"{len(rest)} more", joined))
    return rows
