from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from astromer.evaluation.evaluation import fixed_batches
from astromer.training.epoch import TrainingEpoch
from astromer.windows.batches import sequential_windows
from astromer.windows.config import MaskingConfig


@pytest.fixture
def curves(toy):
    return toy.curves((30, 20, 50, 7, 45))


def epoch_of(curves, number: int = 0, **changes: Any) -> TrainingEpoch:
    settings: dict[str, Any] = {
        "window_size": 20,
        "batch_size": 4,
        "masking": MaskingConfig(),
        "normalise": False,
        "seed": 42,
    }
    return TrainingEpoch(curves, number, **{**settings, **changes})


def test_an_epoch_is_about_one_pass_and_its_last_batch_may_be_short(curves) -> None:
    epoch = epoch_of(curves)
    sizes = [len(batch) for batch in epoch.batches()]
    assert len(epoch) == 3
    assert sizes == [4, 4, 2]
    drawn = np.concatenate([batch.curve for batch in epoch.batches()])
    assert np.bincount(drawn).tolist() == [2, 1, 3, 1, 3]


@pytest.mark.parametrize("start", range(4))
def test_an_epoch_goes_on_from_any_batch(curves, start: int) -> None:
    epoch = epoch_of(curves)
    whole, rest = list(epoch.batches())[start:], list(epoch.batches(start))
    assert len(whole) == len(rest)
    for step, (one, other) in enumerate(zip(whole, rest), start):
        for batch in (other, epoch.batch(step)):
            assert one.magnitudes.tobytes() == batch.magnitudes.tobytes()
            assert one.times.tobytes() == batch.times.tobytes()


def test_masks_and_windows_are_fresh_each_epoch_and_fixed_by_the_seed(curves) -> None:
    def drawn(number: int, seed: int = 42) -> tuple[bytes, bytes]:
        epoch = epoch_of(curves, number, seed=seed)
        hidden = np.concatenate([batch.probing.hidden for batch in epoch.batches()])
        return epoch.windows.start.tobytes(), hidden.tobytes()

    assert drawn(0) == drawn(0)
    for other in (drawn(1), drawn(0, seed=43)):
        assert drawn(0)[0] != other[0]
        assert drawn(0)[1] != other[1]


def test_masks_do_not_depend_on_the_batch_size(curves) -> None:
    one, other = (
        np.concatenate([b.probing.hidden for b in epoch_of(curves, batch_size=size).batches()])
        for size in (4, 7)
    )
    assert (one == other).all()


@pytest.mark.parametrize("seed", [0, 1, 42, 2**31])
def test_evaluation_masks_are_those_of_no_training_epoch(toy, seed: int) -> None:
    curves = toy.curves([20] * 12)
    windows = sequential_windows(curves.offsets, 20)
    model = SimpleNamespace(window_size=20, normalise=False, encoder=SimpleNamespace(folds=False))
    (fixed,) = fixed_batches(model, curves, windows, MaskingConfig(), seed, 100)  # type: ignore[arg-type]
    for number in range(5):
        fresh = epoch_of(curves, number, seed=seed, batch_size=100).batch(0)
        differ = (fixed.probing.hidden != fresh.probing.hidden).any()
        assert differ, f"the masks of evaluation are those of epoch {number}"


def test_an_abandoned_epoch_leaves_no_thread_behind(curves) -> None:
    batches = epoch_of(curves).batches()
    next(batches)
    del batches
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_an_error_in_the_background_is_raised_here(curves, monkeypatch) -> None:
    epoch = epoch_of(curves)

    def broken(step: int) -> None:
        raise RuntimeError(f"batch {step}")

    monkeypatch.setattr(epoch, "batch", broken)
    with pytest.raises(RuntimeError, match="batch 0"):
        list(epoch.batches())
