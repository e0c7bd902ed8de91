"""The table of a study, and what it says about pre-training."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.finetuning.encoder_sources import FOREST, PRETRAINED, PUBLIC, RANDOM
from astromer.finetuning.labelled_data import Dataset, classification_scores
from astromer.serving.model_card.markdown import escaped
from astromer.system.atomic import write_file
from astromer.system.html.page import label, to_bytes
from astromer.system.text import csv_cell, shortened

MAJORITY = "majority"
_TITLES = {
    PRETRAINED: "pre-trained encoder",
    RANDOM: "random encoder",
    PUBLIC: "public weights",
    FOREST: "random forest",
    MAJORITY: "most frequent class",
}
MODES = {"frozen": "frozen", "trainable": "fine-tuned", "none": ""}


@dataclass(frozen=True)
class Row:
    """One method with one number of shots, over all seeds.

    Attributes:
        source, encoder, shots: as in :class:`~astromer.finetuning.trials.Cell`.
        seeds: how many.
        macro_f1, accuracy: means over the seeds.
        macro_f1_spread, accuracy_spread: sample standard deviations; NaN with one seed.
    """

    source: str
    encoder: str
    shots: int
    seeds: int
    macro_f1: float
    macro_f1_spread: float
    accuracy: float
    accuracy_spread: float

    @property
    def title(self) -> str:
        """The method, for people."""
        mode = MODES[self.encoder]
        return f"{_TITLES[self.source]}, {mode}" if mode else _TITLES[self.source]


@dataclass(frozen=True)
class Verdict:
    """Whether the pre-trained encoder did better than a random one, seed by seed.

    Attributes:
        encoder, shots: what is compared.
        gain: mean over the seeds of the difference in macro-F1.
        spread: sample standard deviation of the difference; NaN with one seed.
        beats: better with every seed, and by more than the spread.
    """

    encoder: str
    shots: int
    gain: float
    spread: float
    beats: bool

    def text(self) -> str:
        """In words."""
        spread = "" if np.isnan(self.spread) else f" ± {self.spread:.3f}"
        verb = "beats a random one" if self.beats else "does NOT beat a random one"
        one = ", on the one seed that was tried" if not spread else ""
        return (
            f"{MODES[self.encoder]}, {shots_title(self.shots)}: the pre-trained encoder {verb} "
            f"(macro-F1 {self.gain:+.3f}{spread}{one})"
        )


def rows_of(results: Sequence[Mapping[str, Any]], dataset: Dataset | None = None) -> list[Row]:
    """Means and spreads over the seeds, and the most frequent class where there is a dataset."""
    groups: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for result in results:
        key = (result["source"], result["encoder"], result["shots"])
        groups.setdefault(key, []).append(result)
    rows = [_row(*key, members) for key, members in groups.items()]
    if dataset is not None:
        majority = majority_scores(dataset)
        rows += [
            _row(MAJORITY, "none", shots, [majority])
            for shots in dict.fromkeys(result["shots"] for result in results)
        ]
    return rows


def majority_scores(dataset: Dataset) -> dict[str, Any]:
    """Scores of always answering with the most frequent class of the training split."""
    most = np.bincount(dataset.classes["train"]).argmax()
    true = dataset.classes["test"]
    return classification_scores(true, np.full_like(true, most), dataset.label_map)


def verdicts_of(results: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """One for each encoder mode and number of shots that was tried with both encoders."""
    scores = {(r["source"], r["encoder"], r["shots"], r["seed"]): r["macro_f1"] for r in results}
    gains: dict[tuple[str, int], list[float]] = {}
    for (source, encoder, shots, seed), score in scores.items():
        random = scores.get((RANDOM, encoder, shots, seed))
        if source == PRETRAINED and random is not None:
            gains.setdefault((encoder, shots), []).append(score - random)
    found = []
    for (encoder, shots), values in gains.items():
        gain, spread = statistics.fmean(values), _spread(values)
        beats = min(values) > 0 and not gain <= spread
        found.append(Verdict(encoder, shots, gain, spread, beats))
    return found


def to_text(rows: Sequence[Row]) -> str:
    """Macro-F1 and accuracy of each method by number of shots, for a terminal."""
    cells = _cells(rows)
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in cells
    )


def to_markdown(rows: Sequence[Row]) -> str:
    """The same table in Markdown."""
    head, *lines = _cells(rows)
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))


def row_dicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as JSON types; a spread that one seed does not have is null."""
    return [
        {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(row).items()}
        for row in rows
    ]


def shots_title(shots: int) -> str:
    """The number of shots, for people."""
    return f"{shots} per class" if shots else "all"


def _row(source: str, encoder: str, shots: int, members: Sequence[Mapping[str, Any]]) -> Row:
    f1, accuracy = ([m[name] for m in members] for name in ("macro_f1", "accuracy"))
    return Row(
        source,
        encoder,
        shots,
        len(members),
        statistics.fmean(f1),
        _spread(f1),
        statistics.fmean(accuracy),
        _spread(accuracy),
    )


def _spread(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else float("nan")


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    columns = list(dict.fromkeys(row.shots for row in rows))
    head = ["macro-F1 on the test split"]
    head += [shots_title(shots) for shots in columns]
    head += [f"accuracy, {shots_title(shots)}" for shots in columns[-1:]]
    by_method: dict[str, dict[int, Row]] = {}
    for row in rows:
        by_method.setdefault(row.title, {})[row.shots] = row
    lines = [head]
    for title, found in by_method.items():
        line = [title]
        for shots in columns:
            line.append(_number(found[shots], "macro_f1") if shots in found else "")
        last = columns[-1]
        line.append(_number(found[last], "accuracy") if last in found else "")
        lines.append(line)
    return lines


def _number(row: Row, score: str) -> str:
    mean, spread = getattr(row, score), getattr(row, f"{score}_spread")
    return f"{mean:.3f}" if np.isnan(spread) else f"{mean:.3f} ± {spread:.3f}"


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
    write_file(folder / RESULTS_FILE, json.dumps(content, indent=1) + "\n")
    with (folder / CSV_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _CSV_COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(results)
    _write_classes(results, folder / CLASSES_FILE)
    listed = "".join(f"- {escaped(sentence, len(sentence))}\n" for sentence in sentences)
    write_file(folder / TABLE_FILE, f"{to_markdown(rows)}\n\n{listed}")
    _plot(results, dataset, folder)
    parts = [to_text(rows), "\n".join(sentences), class_table(results)]
    text = "\n\n".join(part for part in parts if part)
    write_file(folder / TEXT_FILE, text + "\n")
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


def plot_confusion(confusion: np.ndarray, names: Sequence[str], title: str, file: Path) -> None:
    """Draws the share of each true class that was given each answer.

    Args:
        confusion: counts [num_classes, num_classes], a row for each true class; may be sums over
            seeds.
        names: of the classes.
        title: above the picture.
        file: PNG to write.
    """
    from matplotlib.figure import Figure

    total = confusion.sum(axis=1, keepdims=True)
    share = confusion / np.maximum(total, 1)
    size = 2.5 + 0.55 * len(names)
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = np.arange(len(names))
    names = [label(name) for name in names]
    axes.set_xticks(ticks, names, parse_math=False, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, names, parse_math=False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(title, fontsize="medium")
    for row in ticks:
        for column in ticks:
            if share[row, column] >= 0.005:
                colour = "white" if share[row, column] > 0.5 else "black"
                text = f"{share[row, column]:.2f}"
                axes.text(column, row, text, ha="center", va="center", color=colour, size="small")
    figure.colorbar(image, label="share of the true class")
    file.write_bytes(to_bytes(figure, "png"))
