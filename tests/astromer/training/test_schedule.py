from __future__ import annotations

import math

import pytest

from astromer.training.config import TrainingConfig
from astromer.training.step import WarmUp, make_schedule


def rates(schedule: WarmUp, steps: list[int]) -> list[float]:
    return [float(schedule(step)) for step in steps]


def test_by_default_the_rate_is_constant() -> None:
    schedule = make_schedule(TrainingConfig(learning_rate=1e-3), 10)
    assert rates(schedule, [0, 1, 10**6]) == pytest.approx([1e-3] * 3)


def test_warm_up_rises_linearly_and_never_starts_at_zero() -> None:
    schedule = make_schedule(TrainingConfig(learning_rate=1e-3, warmup_steps=4), 10)
    expected = [0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3, 1e-3]
    assert rates(schedule, [0, 1, 2, 3, 4, 1000]) == pytest.approx(expected)


@pytest.mark.parametrize("warmup", [0, 20])
def test_cosine_ends_at_zero_with_the_last_epoch(warmup: int) -> None:
    training = TrainingConfig(learning_rate=1e-3, warmup_steps=warmup, decay="cosine", epochs=10)
    schedule = make_schedule(training, 12)
    for step in (warmup, 60, 119, 120, 500):
        done = min((step - warmup) / (120 - warmup), 1)
        expected = 1e-3 * (1 + math.cos(math.pi * done)) / 2
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-9)


def test_a_warm_up_longer_than_the_training_stays_finite() -> None:
    training = TrainingConfig(learning_rate=1e-3, warmup_steps=50, decay="cosine", epochs=1)
    schedule = make_schedule(training, 10)
    expected = [2e-5, 2e-4, 1e-3, 1e-3, 0]
    assert rates(schedule, [0, 9, 49, 50, 99]) == pytest.approx(expected)


def test_config_rebuilds_the_schedule() -> None:
    schedule = WarmUp(2e-3, 5, 50)
    assert WarmUp.from_config(schedule.get_config()).get_config() == schedule.get_config()
