"""The versions of a folder as a table."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from astromer.serving.checksums import condition
from astromer.serving.versions.alias import alias
from astromer.serving.versions.facts import CLASSIFIER, kind_of, read_facts, read_settings
from astromer.serving.versions.folder import LATEST, WITHDRAWN, versions, withdrawn
from astromer.system.storage.trees import files_in
from astromer.system.text import printable, shortened

_MISSING = "-"
_CLOCK = (946684800, 4102444800)  # numbers that are Unix times of this century


@dataclass(frozen=True)
class Row:
    """A version.

    Attributes:
        version: its number.
        pushed: when, "2026-01-31 12:00" UTC; from the number where the version has no card.
        survey: names of the surveys, "" where unknown.
        curves: light curves that were trained on; None where unknown.
        score: error at hidden steps of the test split [mag]; of a classifier macro-F1.
        mean, interpolation: errors of the baselines at the same steps [mag]; of a classifier the
            macro-F1 of the most frequent class, and None.
        kind: "encoder" or "classifier".
        size: bytes of all files.
        condition: "whole", "damaged" or "no checksums"; "" where it was not looked at.
        is_latest: whether the alias names it.
        is_withdrawn: whether model servers do not see it.
    """

    version: str
    pushed: str
    survey: str
    curves: int | None
    score: float | None
    mean: float | None
    interpolation: float | None
    kind: str
    size: int
    condition: str
    is_latest: bool
    is_withdrawn: bool


def rows(folder: Path, *, check: bool = True) -> list[Row]:
    """A row for each version, oldest first, then those that were withdrawn.

    Args:
        folder: the folder of versions.
        check: whether to compare the files with their checksums, which reads all of them.

    Raises:
        ModelError: the alias is damaged.
    """
    named = alias(folder)
    there = [(path, False) for path in versions(folder)]
    there += [(path, True) for path in withdrawn(folder)]
    return [_row(path, named, gone, check) for path, gone in there]


def as_plain(found: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as plain JSON types."""
    return [asdict(row) for row in found]


def to_table(found: Sequence[Row]) -> str:
    """The rows as text."""
    classifiers = any(row.kind == CLASSIFIER for row in found)
    titles = ("macro-F1", "majority", "") if classifiers else ("RMSE", "mean", "interpolation")
    head = ("version", "pushed (UTC)", "survey", "curves", *titles, "size", "files", "")
    lines = [head, *(_cells(row) for row in found)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "  ".join(
            cell.rjust(width) if 3 <= i <= 7 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
            if width or i == len(head) - 1
        ).rstrip()
        for line in lines
    ]
    if not classifiers and any(row.score is not None for row in found):
        text.append("RMSE [mag]: of each at the hidden steps of its own test split; see compare")
    return "\n".join(text)


def _row(version: Path, named: str | None, gone: bool, check: bool) -> Row:
    facts, settings = read_facts(version), read_settings(version)
    metadata = settings.get("metadata", {})
    evaluation = facts.get("evaluation", {})
    scores = evaluation.get("model") or {}
    score, mean = scores.get("hidden_rmse"), scores.get("mean_hidden_rmse")
    if "served" in evaluation:
        score = evaluation["served"].get("macro_f1")
        mean = facts.get("study", {}).get("majority", {}).get("macro_f1")
    data = facts.get("data", {})
    train = data.get("splits", {}).get("train", {})
    return Row(
        version=version.name,
        pushed=_when(facts, version.name),
        survey=", ".join(data.get("surveys", ())),
        curves=train.get("curves", metadata.get("summary", {}).get("train_curves")),
        score=score,
        mean=mean,
        interpolation=scores.get("interpolation_hidden_rmse"),
        kind=kind_of(settings),
        size=sum((version / file).stat().st_size for file in files_in(version)),
        condition=condition(version)[0] if check else "",
        is_latest=named == version.name and not gone,
        is_withdrawn=gone,
    )


def _when(facts: Mapping[str, Any], number: str) -> str:
    if "pushed" in facts:
        return str(facts["pushed"])[:16].replace("T", " ")
    if _CLOCK[0] <= int(number) <= _CLOCK[1]:
        moment = datetime.datetime.fromtimestamp(int(number), datetime.timezone.utc)
        return moment.strftime("%Y-%m-%d %H:%M")
    return ""


def _cells(row: Row) -> tuple[str, ...]:
    notes = [LATEST] if row.is_latest else []
    notes += [WITHDRAWN] if row.is_withdrawn else []
    numbers = [row.score, row.mean, row.interpolation]
    return (
        row.version,
        row.pushed or _MISSING,
        shortened(printable(row.survey), 30) or _MISSING,
        _MISSING if row.curves is None else f"{row.curves:,}",
        *(_MISSING if value is None else f"{value:.4f}" for value in numbers),
        f"{row.size / 1e6:.1f} MB",
        row.condition or "not checked",
        ", ".join(notes),
    )
