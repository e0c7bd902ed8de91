"""The outputs of a study: tables, scores by class, confusion matrices, the gain of pre-training."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from astromer.finetuning.config import MLP, TREES, WITH_FEATURES
from astromer.finetuning.encoder_sources import FOREST, PRETRAINED, PUBLIC, RANDOM
from astromer.finetuning.labelled_data import Dataset, classification_scores
from astromer.finetuning.trials import Trial, best_on_validation, best_trial
from astromer.system.atomic import write_file
from astromer.system.html.page import label, to_bytes
from astromer.system.text import csv_cell, escaped, shortened, table

RESULTS_FILE, CSV_FILE, CLASSES_FILE = "results.json", "results.csv", "per_class.csv"
_TABLE_FILE, TEXT_FILE = "table.md", "table.txt"
_CSV_COLUMNS = (
    *("source", "encoder", "head", "shots", "seed", "train_curves", "macro_f1", "accuracy"),
    *("validation_macro_f1", "validation_loss", "best_epoch", "seconds"),
)
_SCORES = ("precision", "recall", "f1")
_CLASS_WIDTH = 40  # most characters of a class name in a table
_MAJORITY = "majority"
_TITLES = {
    PRETRAINED: "pre-trained encoder",
    RANDOM: "random encoder",
    PUBLIC: "public weights",
    FOREST: "random forest",
    _MAJORITY: "most frequent class",
}
_MODES = {"frozen": "frozen", "trainable": "fine-tuned", "none": ""}
CHOSEN = "chosen"
"""In place of a head: with each draw the one that does best on validation."""
_HEADS = {MLP: "MLP", TREES: "forest", CHOSEN: "best on validation"}
_SEES = {FOREST: "features, periodogram", _MAJORITY: "labels"}

Results = Sequence[Mapping[str, Any]]
Groups = dict[tuple[str, str, str, int], list[Mapping[str, Any]]]


@dataclass(frozen=True)
class StudyRow:
    """One method with one number of shots, over all seeds.

    Attributes:
        source, encoder, head, shots: as in :class:`~astromer.finetuning.trials.Trial`.
        seeds: how many.
        macro_f1, accuracy: means over the seeds.
        macro_f1_spread, accuracy_spread: sample standard deviations; None with one seed.
    """

    source: str
    encoder: str
    head: str
    shots: int
    seeds: int
    macro_f1: float
    macro_f1_spread: float | None
    accuracy: float
    accuracy_spread: float | None

    @property
    def title(self) -> str:
        """The method, for people."""
        return ", ".join(filter(None, (_TITLES[self.source], _MODES[self.encoder])))

    @property
    def head_title(self) -> str:
        """What classifies, for people."""
        return "" if self.source == _MAJORITY else _HEADS[self.head.removesuffix(WITH_FEATURES)]

    @property
    def sees(self) -> str:
        """What it classifies by."""
        if self.source in _SEES:
            return _SEES[self.source]
        if self.head == CHOSEN:
            return "any of these"
        return "embedding" + (", features" if self.head.endswith(WITH_FEATURES) else "")


@dataclass(frozen=True)
class PretrainingGain:
    """Whether the pre-trained encoder did better than a random one, seed by seed.

    Attributes:
        encoder, head, shots: what is compared.
        gain: mean over the seeds of the difference in macro-F1.
        spread: sample standard deviation of the difference; None with one seed.
        beats: better with every seed, and by more than the spread.
    """

    encoder: str
    head: str
    shots: int
    gain: float
    spread: float | None
    beats: bool

    def text(self) -> str:
        """In words."""
        spread = ", on the one seed that was tried"
        if self.spread is not None:
            spread = f" ± {self.spread:.3f}"
        verb = "beats a random one" if self.beats else "does NOT beat a random one"
        head = "" if self.head == MLP else f", {self.head}"
        return (
            f"{_MODES[self.encoder]}{head}, {_shots_title(self.shots)}: the pre-trained encoder "
            f"{verb} (macro-F1 {self.gain:+.3f}{spread})"
        )


def write_outputs(
    results: Results, dataset: Dataset, folder: Path, facts: Mapping[str, Any]
) -> str:
    """Writes results as JSON, CSV, Markdown and pictures.

    Args:
        results: of all trials.
        dataset: what they were scored on.
        folder: made if missing.
        facts: JSON-able: where encoder and data come from, and the settings.

    Returns:
        The table, the conclusions and the scores by class, for a terminal; also in ``table.txt``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, gains = study_rows(results, dataset), pretraining_gains(results)
    notes = _notes(results, dataset)
    sentences = [gain.text() for gain in gains] + notes
    content = {
        **facts,
        "classes": dataset.label_map.to_dict()["classes"],
        "test_curves": len(dataset.curves["test"]),
        "summary": [asdict(row) for row in rows],
        "verdicts": [asdict(gain) for gain in gains],
        "notes": notes,
        "majority": _majority_scores(dataset),
        "cells": list(results),
    }
    write_file(folder / RESULTS_FILE, json.dumps(content, indent=1) + "\n")
    with (folder / CSV_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _CSV_COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(results)
    _write_classes(results, folder / CLASSES_FILE)
    listed = "".join(f"- {escaped(sentence, len(sentence))}\n" for sentence in sentences)
    write_file(folder / _TABLE_FILE, f"{markdown_table(rows)}\n\n{listed}")
    _plot_confusions(results, dataset, folder)
    parts = [text_table(rows), "\n".join(sentences), _class_table(results)]
    text = "\n\n".join(part for part in parts if part)
    write_file(folder / TEXT_FILE, text + "\n")
    return text


def study_rows(results: Results, dataset: Dataset | None = None) -> list[StudyRow]:
    """Means and spreads over the seeds, and the most frequent class where there is a dataset."""
    groups = _with_chosen(_by_method(results))
    if dataset is not None:
        majority = _majority_scores(dataset)
        groups |= {(_MAJORITY, "none", "", shots): [majority] for *_, shots in groups}
    rows = []
    for (source, encoder, head, shots), members in groups.items():
        f1, accuracy = ([m[name] for m in members] for name in ("macro_f1", "accuracy"))
        scores = (statistics.fmean(f1), _spread(f1), statistics.fmean(accuracy), _spread(accuracy))
        rows.append(StudyRow(source, encoder, head, shots, len(members), *scores))
    return rows


def pretraining_gains(results: Results) -> list[PretrainingGain]:
    """One for each mode, head and number of shots that was tried with both encoders."""
    scores = {Trial.of(result): result["macro_f1"] for result in results}
    gains: dict[tuple[str, str, int], list[float]] = {}
    for trial, score in scores.items():
        random = scores.get(replace(trial, source=RANDOM))
        if trial.source == PRETRAINED and random is not None:
            key = (trial.encoder, trial.head, trial.shots)
            gains.setdefault(key, []).append(score - random)
    found = []
    for (encoder, head, shots), values in gains.items():
        gain, spread = statistics.fmean(values), _spread(values)
        beats = min(values) > 0 and (spread is None or gain > spread)
        found.append(PretrainingGain(encoder, head, shots, gain, spread, beats))
    return found


def text_table(rows: Sequence[StudyRow]) -> str:
    """Macro-F1 and accuracy of each method by number of shots, for a terminal."""
    lines = _table_lines(rows)
    first, *others = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join([line[0].ljust(first), *map(str.rjust, line[1:], others)]).rstrip()
        for line in lines
    )


def markdown_table(rows: Sequence[StudyRow]) -> str:
    """The same table in Markdown."""
    head, *lines = _table_lines(rows)
    return table(head, lines)


def _table_lines(rows: Sequence[StudyRow]) -> list[list[str]]:
    columns = list(dict.fromkeys(row.shots for row in rows))
    last = columns[-1]
    head = ["macro-F1 on the test split", "head", "sees", *map(_shots_title, columns)]
    by_method: dict[tuple[str, ...], dict[int, StudyRow]] = {}
    for row in rows:
        by_method.setdefault((row.title, row.head_title, row.sees), {})[row.shots] = row
    lines = [[*head, f"accuracy, {_shots_title(last)}"]]
    for titles, found in by_method.items():
        scores = [_score(found.get(shots), "macro_f1") for shots in columns]
        lines.append([*titles, *scores, _score(found.get(last), "accuracy")])
    return lines


def _score(row: StudyRow | None, name: str) -> str:
    if row is None:
        return ""
    mean, spread = getattr(row, name), getattr(row, f"{name}_spread")
    return f"{mean:.3f}" if spread is None else f"{mean:.3f} ± {spread:.3f}"


def _spread(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _shots_title(shots: int) -> str:
    return f"{shots} per class" if shots else "all"


def _by_method(results: Results) -> Groups:
    """The results of all seeds by source, encoder mode, head and shots."""
    groups: Groups = {}
    for result in results:
        trial = Trial.of(result)
        key = (trial.source, trial.encoder, trial.head, trial.shots)
        groups.setdefault(key, []).append(result)
    return groups


def _with_chosen(groups: Groups) -> Groups:
    """Adds the head that is best on validation, seed by seed, where there are several."""
    found: Groups = {}
    ways = list(dict.fromkeys(key[:2] for key in groups))
    for way in ways:
        of_way = {key: members for key, members in groups.items() if key[:2] == way}
        found |= of_way
        if len({head for _, _, head, _ in of_way}) == 1:
            continue
        for shots in dict.fromkeys(key[3] for key in of_way):
            rivals = [r for key, members in of_way.items() if key[3] == shots for r in members]
            seeds = dict.fromkeys(r["seed"] for r in rivals)
            source, encoder = way
            found[source, encoder, CHOSEN, shots] = [
                best_on_validation([r for r in rivals if r["seed"] == seed]) for seed in seeds
            ]
    return found


def _majority_scores(dataset: Dataset) -> dict[str, Any]:
    """Scores of always answering with the most frequent class of the training split."""
    most = np.bincount(dataset.classes["train"]).argmax()
    true = dataset.classes["test"]
    return classification_scores(true, np.full_like(true, most), dataset.label_map)


def _notes(results: Results, dataset: Dataset) -> list[str]:
    """Sentences about the data that a reader of the table needs."""
    chosen = best_trial(results)
    notes = [
        f"the classifier is {chosen.name}: of the pre-trained encoders with the most shots it does "
        "best on validation",
        *dataset.notes,
    ]
    for shots in dict.fromkeys(result["shots"] for result in results):
        if scarce := dataset.scarce(shots):
            counts = ", ".join(f"{shortened(name)} {count}" for name, count in scarce.items())
            notes.append(f"{_shots_title(shots)}: train has fewer of {counts}; all were taken")
    return notes


def _class_table(results: Results) -> str:
    """Scores by class of the pre-trained encoder with the most shots, means over the seeds."""
    most = max((r["shots"] for r in results), key=lambda shots: shots or float("inf"))
    lines = []
    groups = _with_chosen(_by_method(results))
    for (source, encoder, head, shots), members in groups.items():
        several = (source, encoder, CHOSEN, shots) in groups
        if source != PRETRAINED or shots != most or (several and head != CHOSEN):
            continue
        way = ", ".join([_MODES[encoder], *([_HEADS[CHOSEN]] if several else [])])
        lines.append(f"pre-trained encoder, {way}, {_shots_title(shots)}, by class:")
        shown = {name: shortened(name, _CLASS_WIDTH) for name in members[0]["classes"]}
        width = max(map(len, shown.values()))
        lines.append(f"  {'':{width}}  precision  recall     F1  test curves")
        for name, text in shown.items():
            precision, recall, f1 = _mean_scores(members, name)
            count = members[0]["classes"][name]["support"]
            lines.append(f"  {text:{width}}  {precision:9.3f}{recall:8.3f}{f1:7.3f}{count:13}")
    return "\n".join(lines)


def _write_classes(results: Results, file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ("source", "encoder", "head", "shots", "class", *_SCORES, "test_curves", "seeds")
        )
        for key, members in _by_method(results).items():
            for name, scores in members[0]["classes"].items():
                means = [f"{mean:.4f}" for mean in _mean_scores(members, name)]
                writer.writerow((*key, csv_cell(name), *means, scores["support"], len(members)))


def _mean_scores(members: Results, name: str) -> list[float]:
    """Precision, recall and F1 of a class, means over the seeds."""
    return [float(np.mean([m["classes"][name][score] for m in members])) for score in _SCORES]


def _plot_confusions(results: Results, dataset: Dataset, folder: Path) -> None:
    """A confusion matrix for each mode, head and number of shots of the pre-trained encoder."""
    for (source, encoder, head, shots), members in _by_method(results).items():
        if source != PRETRAINED:
            continue
        confusion = np.sum([member["confusion"] for member in members], axis=0)
        seeds = f"{len(members)} seeds" if len(members) > 1 else "1 seed"
        way = _MODES[encoder] + ("" if head == MLP else f", {head}")
        title = f"pre-trained encoder, {way}, {_shots_title(shots)}, {seeds}"
        name = encoder + ("" if head == MLP else f"_{head}")
        file = folder / f"confusion_{name}_{shots or 'all'}.png"
        _plot_confusion(confusion, dataset.label_map.names, title, file)


def _plot_confusion(confusion: np.ndarray, names: Sequence[str], title: str, file: Path) -> None:
    """Draws the share of each true class that was given each answer.

    Args:
        confusion: counts [num_classes, num_classes], a row for each true class; may be sums over
            seeds.
        names: of the classes.
        title: above the picture.
        file: PNG to write.
    """
    from matplotlib.figure import Figure

    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
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
    for (row, column), value in np.ndenumerate(share):
        if value >= 0.005:
            colour = "white" if value > 0.5 else "black"
            cell = axes.text(column, row, f"{value:.2f}", ha="center", va="center")
            cell.set(color=colour, size="small")
    figure.colorbar(image, label="share of the true class")
    file.write_bytes(to_bytes(figure, "png"))
