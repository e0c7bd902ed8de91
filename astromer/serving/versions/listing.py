"""The versions of a folder as a table."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.serving.checksums import condition
from astromer.serving.saved_model import CLASSIFIER, model_kind, read_facts, try_read_config
from astromer.serving.versions.folder import LATEST, WITHDRAWN, alias, versions, withdrawn
from astromer.system.storage.trees import files_in
from astromer.system.text import printable, shortened

_CLOCK = (946684800, 4102444800)  # numbers that are Unix times of this century


@dataclass(frozen=True)
class VersionRow:
    """A version in the table.

    Attributes:
        version: its number.
        pushed: time, "2026-01-31 12:00" UTC; from the number if the version has no card.
        survey: names of the surveys, "" if unknown.
        curves: light curves in the training split; None if unknown.
        score: RMSE at hidden steps of the test split [mag]; macro-F1 of a classifier.
        mean, interpolation: RMSE of the baselines at the same steps [mag]; of a classifier the
            macro-F1 of the most frequent class, and None.
        kind: "encoder" or "classifier".
        size: bytes of all files.
        condition: "whole", "damaged" or "no checksums"; "" if it was not checked.
        is_latest: whether the alias names it.
        is_withdrawn: whether it is hidden from model servers.
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


def version_rows(folder: Path, *, check: bool = True) -> list[VersionRow]:
    """A row for each version, oldest first, then the withdrawn ones.

    Args:
        folder: the folder of versions.
        check: whether to compare the files with their checksums, which reads all of them.

    Raises:
        ModelError: the alias is damaged.
    """
    named = alias(folder)
    return [
        *(_row(path, named == path.name, False, check) for path in versions(folder)),
        *(_row(path, False, True, check) for path in withdrawn(folder)),
    ]


def listing_table(rows: Sequence[VersionRow]) -> str:
    """The rows as text."""
    classifiers = any(row.kind == CLASSIFIER for row in rows)
    titles = ("macro-F1", "majority", "") if classifiers else ("RMSE", "mean", "interpolation")
    head = ("version", "pushed (UTC)", "survey", "curves", *titles, "size", "files", "")
    lines = [head, *(_texts(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "  ".join(
            cell.rjust(width) if 3 <= i <= 7 else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
            if width or i == len(head) - 1
        ).rstrip()
        for line in lines
    ]
    if not classifiers and any(row.score is not None for row in rows):
        text.append("RMSE [mag]: of each at the hidden steps of its own test split; see compare")
    return "\n".join(text)


def _row(version: Path, is_latest: bool, is_withdrawn: bool, check: bool) -> VersionRow:
    facts, settings = read_facts(version), try_read_config(version)
    metadata = settings.get("metadata", {})
    evaluation = facts.get("evaluation", {})
    scores = evaluation.get("model") or {}
    score, mean = scores.get("hidden_rmse"), scores.get("mean_hidden_rmse")
    if "served" in evaluation:
        score = evaluation["served"].get("macro_f1")
        mean = facts.get("study", {}).get("majority", {}).get("macro_f1")
    data = facts.get("data", {})
    train = data.get("splits", {}).get("train", {})
    return VersionRow(
        version=version.name,
        pushed=_when(facts, version.name),
        survey=", ".join(data.get("surveys", ())),
        curves=train.get("curves", metadata.get("summary", {}).get("train_curves")),
        score=score,
        mean=mean,
        interpolation=scores.get("interpolation_hidden_rmse"),
        kind=model_kind(settings),
        size=sum((version / file).stat().st_size for file in files_in(version)),
        condition=condition(version)[0] if check else "",
        is_latest=is_latest,
        is_withdrawn=is_withdrawn,
    )


def _when(facts: Mapping[str, Any], number: str) -> str:
    if "pushed" in facts:
        return str(facts["pushed"])[:16].replace("T", " ")
    if _CLOCK[0] <= int(number) <= _CLOCK[1]:
        moment = datetime.datetime.fromtimestamp(int(number), datetime.timezone.utc)
        return moment.strftime("%Y-%m-%d %H:%M")
    return ""


def _texts(row: VersionRow) -> tuple[str, ...]:
    notes = [LATEST] if row.is_latest else []
    notes += [WITHDRAWN] if row.is_withdrawn else []
    numbers = [row.score, row.mean, row.interpolation]
    return (
        row.version,
        row.pushed or "-",
        shortened(printable(row.survey), 30) or "-",
        "-" if row.curves is None else f"{row.curves:,}",
        *("-" if value is None else f"{value:.4f}" for value in numbers),
        f"{row.size / 1e6:.1f} MB",
        row.condition or "not checked",
        ", ".join(notes),
    )
