from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from astromer.finetuning.classifier import Head, make_classifier
from astromer.finetuning.classifier_training import (
    EarlyStopping,
    EncoderTraining,
    LabelledFeatures,
    train_head,
    validation_loss,
)
from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.labelled_data import LabelledCurves
from astromer.system.errors import TrainingError


def features(count: int, seed: int) -> LabelledFeatures:
    """Two classes that the second of three vectors tells apart; far from centred."""
    rng = np.random.default_rng(seed)
    classes = np.arange(count) % 2
    values = rng.normal(size=(count, 3, 4)).astype(np.float32)
    values[:, 1] += 3 * classes[:, None]
    return LabelledFeatures(50 + 0.1 * values, classes, np.empty((count, 0), np.float32))


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
        stopping.update(epoch, loss)
        assert stopping.stop == (epoch == 4)
    stopping.restore()
    assert np.asarray(head.centre).tolist() == [[2, 2, 2]]
    assert (stopping.best, stopping.best_epoch) == (0.5, 2)


def test_a_loss_that_is_not_finite_is_refused():
    with pytest.raises(TrainingError, match="finite"):
        validation_loss(np.full((2, 2), np.nan), np.array([0, 1]))


def prepare(dataset, source, config, head="layers"):
    config = dataclasses.replace(config, head=head)
    model = source.make(1)
    classifier = make_classifier(model, config, dataset.label_map, seed=1)
    pairs = [LabelledCurves(dataset.curves[s], dataset.classes[s]) for s in ("train", "validation")]
    labelled = [
        LabelledFeatures(classifier.encode(p.curves), p.classes, classifier.beside(p.curves, None))
        for p in pairs
    ]
    before = classifier.get_weights()
    train_head(classifier.head, *labelled, config, seed=1)
    return classifier, EncoderTraining(classifier, *pairs, config, seed=1), before


def test_frozen_means_frozen(dataset, source, config):
    classifier, _, before = prepare(dataset, source, config)
    after = classifier.get_weights()
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved
    assert all(name.startswith("head/") for name in moved)


@pytest.mark.parametrize("head", ["mean", "max", "layers"])
def test_trainable_means_that_every_weight_moves(dataset, source, config, head):
    classifier, training, _ = prepare(dataset, source, config, head)
    before = classifier.get_weights()
    training._train_epoch(1)
    after = classifier.get_weights()
    still = {name for name in before if np.array_equal(before[name], after[name])}
    # No step is hidden in fine-tuning, so the mask token is not shown.
    fixed = {"head/centre", "head/spread", "encoder/mask_token"}
    if head != "layers":
        fixed.add("head/layer_logits")
    assert still == fixed


def test_the_gradient_is_that_of_whole_light_curves_however_it_is_cut(dataset, source, config):
    """One step over all light curves, beside a plain gradient without micro-batches."""
    config = dataclasses.replace(config, batch_size=100, windows_per_curve=3)
    classifier, training, _ = prepare(dataset, source, config)
    for drop in classifier.head.drops:
        drop.rate = 0.0
    # Curves of at most a window are taken whole, so there is nothing random about them.
    short = np.flatnonzero(dataset.curves["train"].lengths <= 20)
    curves = dataset.curves["train"].take(short)
    classes = dataset.classes["train"][short]
    training = EncoderTraining(
        classifier,
        LabelledCurves(curves, classes),
        LabelledCurves(curves, classes),
        config,
        seed=1,
    )
    rows = np.arange(len(short))
    share = training._weights / training._weights.sum()
    for chosen, arrays, first in training._micro_batches(rows, np.random.default_rng(0)):
        training._add(
            *arrays,
            classes[chosen],
            share[chosen],
            training._beside[rows[chosen]],
            np.array([1, 0, first]),
        )
    logits = classifier.logits(curves)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits).numpy()
    assert float(training._loss) == pytest.approx(float((share * losses).sum()), rel=1e-4)
    kernel = classifier.head.dense[-1].bias
    index = [v.path for v in training._variables].index(kernel.path)
    probabilities = tf.nn.softmax(logits).numpy()
    wanted = (share[:, None] * (probabilities - np.eye(3)[classes])).sum(axis=0)
    np.testing.assert_allclose(training._gradients[index].numpy(), wanted, atol=1e-5)


def test_the_cost_is_bounded(dataset, source, config):
    _, training, _ = prepare(dataset, source, config)
    lengths = dataset.curves["train"].lengths
    windows = np.minimum(-(-lengths // 20), config.windows_per_curve).sum()
    assert training.windows_per_epoch() == windows
    small = dataclasses.replace(config, epochs=50, max_windows=int(3.5 * windows))
    assert prepare(dataset, source, small)[1].epochs == 3
    tiny = dataclasses.replace(config, max_windows=1)
    assert prepare(dataset, source, tiny)[1].epochs == 1


def test_fine_tuning_never_ends_worse_on_validation_than_it_began(dataset, source, config):
    wild = dataclasses.replace(config, learning_rate=0.5, epochs=1)
    training = prepare(dataset, source, wild)[1]
    before = training._validate()
    stopping = training.run()
    assert stopping.best <= before
    assert training._validate() == pytest.approx(stopping.best, rel=1e-5)
