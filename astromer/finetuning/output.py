"""What a study leaves in its output folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from astromer.finetuning.confusion_plot import plot_confusion
from astromer.finetuning.dataset import Dataset
from astromer.finetuning.sources import PRETRAINED
from astromer.finetuning.table import (
    MODES,
    majority_scores,
    row_dicts,
    rows_of,
    shots_title,
    to_markdown,
    to_text,
    verdicts_of,
)
from astromer.serving.model_card.markdown import escaped
from astromer.system.text import csv_cell, shortened

RESULTS_FILE, CSV_FILE, CLASSES_FILE = "results.json", "results.csv", "per_class.csv"
TABLE_FILE, TEXT_FILE = "table.md", "table.txt"
_CSV_COLUMNS = (
    *("source", "encoder", "shots", "seed", "train_curves", "macro_f1", "accuracy"),
    *("validation_macro_f1", "validation_loss", "best_epoch", "seconds"),
)
_SCORES = ("precision", "recall", "f1")
_WIDEST = 40  # letters of a class in a table


def write_outputs(
    results: Sequence[Mapping[str, Any]],
    dataset: Dataset,
    folder: Path,
    facts: Mapping[str, Any],
) -> str:
    """Writes results as JSON, CSV, Markdown and pictures.

    Args:
        results: of all cells.
        dataset: what they were scored on.
        folder: made if missing.
        facts: JSON-able; where encoder and data come from, and the settings.

    Returns:
        The table, the verdicts and the scores by class, for a terminal; also in ``table.txt``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, verdicts = rows_of(results, dataset), verdicts_of(results)
    sentences = [verdict.text() for verdict in verdicts] + notes_on(results, dataset)
    content = {
        **facts,
        "classes": dataset.label_map.to_dict()["classes"],
        "test_curves": len(dataset.curves["test"]),
        "summary": row_dicts(rows),
        "verdicts": [{**vars(v), "spread": _finite(v.spread)} for v in verdicts],
        "notes": notes_on(results, dataset),
        "majority": majority_scores(dataset),
        "cells": list(results),
    }
    _write(folder / RESULTS_FILE, json.dumps(content, indent=1) + "\n")
    with (folder / CSV_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _CSV_COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(results)
    _write_classes(results, folder / CLASSES_FILE)
    listed = "".join(f"- {escaped(sentence, len(sentence))}\n" for sentence in sentences)
    _write(folder / TABLE_FILE, f"{to_markdown(rows)}\n\n{listed}")
    _plot(results, dataset, folder)
    parts = [to_text(rows), "\n".join(sentences), class_table(results)]
    text = "\n\n".join(part for part in parts if part)
    _write(folder / TEXT_FILE, text + "\n")
    return text


def notes_on(results: Sequence[Mapping[str, Any]], dataset: Dataset) -> list[str]:
    """What a reader of the table has to know about the data."""
    notes = list(dataset.notes)
    for shots in dict.fromkeys(result["shots"] for result in results):
        scarce = dataset.scarce(shots)
        if scarce:
            counts = ", ".join(f"{shortened(name)} {count}" for name, count in scarce.items())
            notes.append(f"{shots_title(shots)}: train has fewer of {counts}; all were taken")
    return notes


def class_table(results: Sequence[Mapping[str, Any]]) -> str:
    """Scores by class of the pre-trained encoder with the most shots, means over the seeds."""
    groups = _groups(results)
    lines = []
    for (source, encoder, shots), members in groups.items():
        if source != PRETRAINED or shots != _most_shots(results):
            continue
        lines.append(f"pre-trained encoder, {MODES[encoder]}, {shots_title(shots)}, by class:")
        names = members[0]["classes"]
        shown = {name: shortened(name, _WIDEST) for name in names}
        wide = max(map(len, shown.values()))
        lines.append(f"  {'':{wide}}  precision  recall     F1  test curves")
        for name in names:
            precision, recall, f1 = (_mean(members, name, score) for score in _SCORES)
            count = members[0]["classes"][name]["support"]
            lines.append(
                f"  {shown[name]:{wide}}  {precision:9.3f}{recall:8.3f}{f1:7.3f}{count:13}"
            )
    return "\n".join(lines)


def _most_shots(results: Sequence[Mapping[str, Any]]) -> int:
    return max((r["shots"] for r in results), key=lambda shots: shots or float("inf"))


def _write_classes(results: Sequence[Mapping[str, Any]], file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("source", "encoder", "shots", "class", *_SCORES, "test_curves", "seeds"))
        for key, members in _groups(results).items():
            for name, scores in members[0]["classes"].items():
                means = [f"{_mean(members, name, score):.4f}" for score in _SCORES]
                writer.writerow((*key, csv_cell(name), *means, scores["support"], len(members)))


def _plot(results: Sequence[Mapping[str, Any]], dataset: Dataset, folder: Path) -> None:
    for (source, encoder, shots), members in _groups(results).items():
        if source != PRETRAINED:
            continue
        confusion = np.sum([member["confusion"] for member in members], axis=0)
        seeds = _plural(len(members))
        title = f"pre-trained encoder, {MODES[encoder]}, {shots_title(shots)}, {seeds}"
        name = f"confusion_{encoder}_{shots or 'all'}.png"
        plot_confusion(confusion, dataset.label_map.names, title, folder / name)


def _groups(
    results: Sequence[Mapping[str, Any]],
) -> dict[tuple[str, str, int], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for result in results:
        key = (result["source"], result["encoder"], result["shots"])
        groups.setdefault(key, []).append(result)
    return groups


def _mean(members: Sequence[Mapping[str, Any]], name: str, score: str) -> float:
    return float(np.mean([member["classes"][name][score] for member in members]))


def _plural(seeds: int) -> str:
    return f"{seeds} seeds" if seeds > 1 else "1 seed"


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else value


def _write(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
