from __future__ import annotations

import numpy as np
import pytest

from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.early_stopping import EarlyStopping
from astromer.finetuning.head import Head
from astromer.finetuning.head_training import Labelled, train_head, validation_loss
from astromer.system.errors import TrainingError


def features(count: int, seed: int) -> Labelled:
    """Two classes that the second of three vectors tells apart; far from centred."""
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % 2
    values = rng.normal(size=(count, 3, 4)).astype(np.float32)
    values[:, 1] += 3 * classes[:, None]
    return Labelled(50 + 0.1 * values, classes)


def test_a_head_learns_and_finds_the_layer_that_tells_the_classes_apart():
    head = Head(2, 3, 4, hidden=8, seed=1)
    config = FinetuneConfig(head_epochs=60, head_learning_rate=1e-2)
    stopping = train_head(head, features(60, 0), features(30, 1), config, seed=1)
    test = features(40, 2)
    assert np.mean(head(test.features).numpy().argmax(axis=1) == test.classes) > 0.95
    assert head.layer_weights.argmax() == 1
    assert head.layer_weights.sum() == pytest.approx(1)
    assert stopping.best == pytest.approx(
        validation_loss(head(features(30, 1).features).numpy(), features(30, 1).classes), rel=1e-5
    )


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not():
    def trained(seed: int) -> np.ndarray:
        head = Head(2, 3, 4, hidden=8, seed=seed)
        train_head(head, features(20, 0), features(10, 1), FinetuneConfig(head_epochs=3), seed)
        return head(features(5, 2).features).numpy()

    assert np.array_equal(trained(1), trained(1))
    assert not np.array_equal(trained(1), trained(2))


def test_vectors_that_do_not_vary_do_no_harm():
    head = Head(2, 1, 3)
    values = np.ones((6, 1, 3), np.float32)
    head.standardise(values)
    assert np.isfinite(head(values)).all()


def test_vectors_that_hardly_vary_are_not_blown_up():
    head = Head(2, 1, 2, hidden=0)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 1, 2)) * [1.0, 1e-4]
    head.standardise(values)
    assert np.asarray(head.spread)[0, 1] == pytest.approx(0.1 / np.sqrt(2), rel=0.1)


def test_early_stopping_gives_back_the_best_weights():
    head = Head(2, 1, 3)
    stopping = EarlyStopping(head.variables, patience=2)
    for epoch, loss in enumerate((1.0, 0.5, 0.7, 0.6), 1):
        head.centre.assign(np.full((1, 3), epoch))
        stopping.look(epoch, loss)
        assert stopping.stop == (epoch == 4)
    stopping.restore()
    assert np.asarray(head.centre).tolist() == [[2, 2, 2]]
    assert (stopping.best, stopping.best_epoch) == (0.5, 2)


def test_a_loss_that_is_not_finite_is_refused():
    with pytest.raises(TrainingError, match="finite"):
        validation_loss(np.full((2, 2), np.nan), np.array([0, 1]))
