from __future__ import annotations

import pytest

from astromer.finetuning.trials import Trial
from components.finetuner.judge import classifier_objections

CHOSEN = Trial("pretrained", "frozen", 20, 3)
MAJORITY = {"macro_f1": 0.1}


def result(f1: float, **changes) -> dict:
    trial = {"source": "random", "encoder": "frozen", "shots": 20, "seed": 3}
    return {**trial, **changes, "macro_f1": f1}


OTHERS = [result(0.9, source="forest"), result(0.9, seed=1), result(0.9, encoder="trainable")]


@pytest.mark.parametrize(
    ("served", "random", "bless_over", "said"),
    [
        (0.5, 0.4, "random", []),
        (0.4, 0.5, "random", ["does not exceed that of a random encoder, 0.500"]),
        (0.4, 0.4, "random", ["does not exceed that of a random encoder"]),
        (0.4, 0.5, "majority", []),
        (0.1, 0.5, "majority", ["does not exceed that of the most frequent class"]),
        (0.1, 0.5, "random", ["most frequent class", "random encoder"]),
        (float("nan"), 0.5, "majority", ["not a finite number"]),
    ],
)
def test_a_classifier_must_beat_its_baseline(served, random, bless_over, said):
    found = classifier_objections(
        {"macro_f1": served}, CHOSEN, [*OTHERS, result(random)], MAJORITY, bless_over
    )
    assert len(found) == len(said)
    for text, wanted in zip(found, said):
        assert wanted in text


def test_without_a_random_encoder_alike_there_is_no_blessing_over_it():
    [reason] = classifier_objections({"macro_f1": 0.9}, CHOSEN, OTHERS, MAJORITY, "random")
    assert "--baselines random" in reason
