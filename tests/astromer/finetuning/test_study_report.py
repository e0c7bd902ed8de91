from __future__ import annotations

import csv
import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from astromer.finetuning.labelled_data import classification_scores
from astromer.finetuning.study_report import (
    markdown_table,
    pretraining_gains,
    study_rows,
    text_table,
    write_outputs,
)


def result(source: str, seed: int, macro_f1: float, **changes: Any) -> dict[str, Any]:
    trial = {"source": source, "encoder": "frozen", "shots": 20, "seed": seed}
    scores = {"macro_f1": macro_f1, "accuracy": macro_f1 + 0.1}
    return {**trial, **scores, "validation_macro_f1": 0.5, "validation_loss": 1.0, **changes}


def study(pretrained: list[float], random: list[float]) -> list[dict[str, Any]]:
    pairs = [("pretrained", pretrained), ("random", random)]
    return [result(name, seed, f1) for name, scores in pairs for seed, f1 in enumerate(scores)]


def test_mean_and_sample_standard_deviation_over_seeds():
    [row] = study_rows([result("pretrained", s, f1) for s, f1 in enumerate((0.5, 0.6, 0.7))])
    assert row.macro_f1 == pytest.approx(0.6)
    assert row.macro_f1_spread == pytest.approx(0.1)
    assert row.accuracy == pytest.approx(0.7)
    assert "0.600 ± 0.100" in text_table([row])
    assert "| 0.600 ± 0.100 |" in markdown_table([row])


def test_one_seed_has_no_spread():
    [row] = study_rows([result("pretrained", 1, 0.5)])
    assert row.macro_f1_spread is None
    assert "±" not in text_table([row])
    [gain] = pretraining_gains(study([0.5], [0.4]))
    assert gain.beats
    assert "one seed" in gain.text()


@pytest.mark.parametrize(
    ("pretrained", "random", "beats"),
    [
        ([0.60, 0.62, 0.64], [0.50, 0.52, 0.54], True),
        ([0.60, 0.62, 0.50], [0.50, 0.52, 0.54], False),  # worse with one seed
        ([0.51, 0.90, 0.51], [0.50, 0.50, 0.50], False),  # the gain is within the spread
        ([0.50, 0.50, 0.50], [0.60, 0.61, 0.62], False),
        ([0.50, 0.50], [0.50, 0.50], False),
    ],
)
def test_an_encoder_that_does_not_beat_a_random_one_is_reported_as_such(pretrained, random, beats):
    [gain] = pretraining_gains(study(pretrained, random))
    assert gain.beats == beats
    assert ("does NOT beat a random one" in gain.text()) != beats


def test_the_head_that_is_best_on_validation_is_shown_whatever_it_does_on_test():
    trials = [
        result("pretrained", seed, f1, head=head, validation_macro_f1=known, validation_loss=1.0)
        for seed, head, f1, known in (
            *((1, "mlp", 0.5, 0.8), (1, "forest+features", 0.9, 0.7)),
            *((2, "mlp", 0.6, 0.6), (2, "forest+features", 0.3, 0.7)),
        )
    ]
    rows = {row.head: row for row in study_rows(trials)}
    assert list(rows) == ["mlp", "forest+features", "chosen"]
    assert rows["chosen"].macro_f1 == pytest.approx((0.5 + 0.3) / 2)
    assert (rows["forest+features"].head_title, rows["forest+features"].sees) == (
        "forest",
        "embedding, features",
    )


def test_without_a_random_encoder_there_is_no_gain():
    assert pretraining_gains([result("pretrained", 1, 0.9)]) == []


def test_scores_of_a_known_confusion(dataset):
    true, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    scores = classification_scores(true, predicted, dataset.label_map)
    assert scores["confusion"] == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert scores["accuracy"] == 0.75
    assert scores["classes"]["LPV"] == pytest.approx(
        {"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2}
    )
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 0.8) / 2)  # not over the absent class


def test_files(dataset, tmp_path):
    true = dataset.classes["test"]
    scores = classification_scores(true, np.roll(true, 1), dataset.label_map)
    trials = [{**result("pretrained", s, 0.5), "train_curves": 60, **scores} for s in (1, 2)]
    text = write_outputs(trials, dataset, tmp_path, {"task": "classify"})
    content = json.loads((tmp_path / "results.json").read_text())
    assert [c["label"] for c in content["classes"]] == [11, 10, 12]
    assert content["cells"] == trials
    assert "train has fewer of LPV 12, RRL 12, flat 12" in text
    assert "most frequent class" in (tmp_path / "table.md").read_text()
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert [row["seed"] for row in rows] == ["1", "2"]
    assert len(list(csv.DictReader((tmp_path / "per_class.csv").open()))) == 3
    assert (tmp_path / "confusion_frozen_20.png").read_bytes()[:4] == b"\x89PNG"


HOSTILE = [
    "=cmd|'/C calc'!A0",
    "$\\frac{1}{ & \x1b[31m",
    "../../x|\n| <script>alert(1)</script> `c` **b**" + "x" * 100,
]


def test_no_class_name_is_taken_for_anything_else(dataset, tmp_path):
    label_map = dataclasses.replace(dataset.label_map, names=tuple(HOSTILE))
    hostile = dataclasses.replace(dataset, label_map=label_map)
    true = hostile.classes["test"]
    scores = classification_scores(true, np.roll(true, 1), label_map)
    folder = tmp_path / "out"
    text = write_outputs([{**result("pretrained", 1, 0.5), **scores}], hostile, folder, {})
    for file in ("table.txt", "table.md"):
        assert "\x1b" not in (folder / file).read_text()
    assert max(map(len, text.splitlines())) < 400
    assert all(line.isprintable() for line in text.splitlines())
    markdown = (folder / "table.md").read_text()
    assert "\\<script\\>" in markdown
    assert "<script" not in markdown.replace("\\<", "")
    names = [row["class"] for row in csv.DictReader((folder / "per_class.csv").open(newline=""))]
    assert names == [f"'{HOSTILE[0]}", *HOSTILE[1:]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert (folder / "confusion_frozen_20.png").read_bytes()[:4] == b"\x89PNG"
