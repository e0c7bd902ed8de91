"""The table of a study, and what it says about pre-training."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from astromer.finetuning.dataset import Dataset
from astromer.finetuning.scores import classification_scores
from astromer.finetuning.sources import FOREST, PRETRAINED, PUBLIC, RANDOM

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
        source, encoder, shots: as in :class:`~astromer.finetuning.results.Cell`.
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
