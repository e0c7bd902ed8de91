from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from astromer.encoder.config import EncoderConfig
from astromer.training.config import TrainingConfig
from astromer.training.identity import run_fingerprint
from astromer.windows.config import MaskingConfig


@pytest.fixture(scope="module")
def identify(toy):
    data = {"train": toy.curves([9, 5]), "validation": toy.curves([6])}

    def identify(**changes: Any) -> str:
        settings = {
            "encoder": EncoderConfig(),
            "masking": MaskingConfig(),
            "training": TrainingConfig(),
            **data,
        }
        return run_fingerprint(**{**settings, **changes})

    identify.data = data  # type: ignore[attr-defined]
    return identify


def test_it_is_stable(identify) -> None:
    assert identify() == identify()
    assert len(identify()) == 64
    assert int(identify(), 16)


@pytest.mark.parametrize(
    "changes",
    [
        {"encoder": EncoderConfig(d_model=128)},
        {"encoder": EncoderConfig(dropout=0.0)},
        {"masking": MaskingConfig(same=0.1)},
        {"training": TrainingConfig(seed=1)},
        {"training": TrainingConfig(batch_size=128)},
        {"training": TrainingConfig(learning_rate=1e-3)},
        {"training": TrainingConfig(norm=True)},
        {"training": TrainingConfig(loss_on="hidden")},
        {"training": TrainingConfig(clip_norm=1.0)},
        {"training": TrainingConfig(warmup_steps=3)},
        {"training": TrainingConfig(decay="cosine")},
    ],
)
def test_what_changes_the_weights_changes_it(identify, changes: dict[str, Any]) -> None:
    assert identify(**changes) != identify()


@pytest.mark.parametrize(
    "free",
    [
        {"epochs": 7},
        {"patience": 1},
        {"log_every": 1},
        {"checkpoint_seconds": 0.0},
        {"debug": True},
    ],
)
def test_what_a_run_may_change_on_its_way_does_not(identify, free: dict[str, Any]) -> None:
    assert identify(training=TrainingConfig(**free)) == identify()


def test_epochs_count_where_the_schedule_depends_on_them(identify) -> None:
    cosine = TrainingConfig(decay="cosine")
    assert identify(training=cosine) != identify(training=replace(cosine, epochs=7))
    assert identify(training=cosine) == identify(training=replace(cosine, patience=1))


@pytest.mark.parametrize("field", ["mjd", "mag", "errmag"])
@pytest.mark.parametrize("split", ["train", "validation"])
def test_one_changed_bit_of_the_data_changes_it(identify, split: str, field: str) -> None:
    curves = identify.data[split]
    changed = getattr(curves, field).copy()
    changed[-1] = np.nextafter(changed[-1], changed.dtype.type(1e9))
    assert identify(**{split: replace(curves, **{field: changed})}) != identify()


def test_where_curves_end_counts(identify) -> None:
    curves = identify.data["train"]
    moved = replace(curves, offsets=np.array([0, 8, 14]))
    assert identify(train=moved) != identify()
