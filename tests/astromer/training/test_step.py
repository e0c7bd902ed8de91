from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from astromer.system.distribution import make_strategy
from astromer.training.config import TrainingConfig
from astromer.training.step import STEP_SUMS, TrainStep, spread_loss
from astromer.windows.batches import MicroBatch


def best_spread(residuals: np.ndarray) -> float:
    """The one standard deviation of all with the least loss."""
    spreads = np.geomspace(0.1, 10, 400).astype(np.float32)
    losses = tf.reduce_mean(spread_loss(tf.constant(residuals), spreads[:, None]), axis=1)
    return float(spreads[np.argmin(losses)])


def test_the_best_spread_has_as_many_residuals_within_as_of_a_gaussian() -> None:
    rng = np.random.default_rng(0)
    gaussian = rng.normal(0, 0.7, 20_000).astype(np.float32)
    assert best_spread(gaussian) == pytest.approx(0.7, rel=0.03)
    gaussian[:40] = 1e5  # a likelihood would call them all a thousand times wider
    assert best_spread(gaussian) == pytest.approx(0.7, rel=0.03)
    heavy = rng.standard_t(3, 20_000).astype(np.float32)
    ratio = np.abs(heavy) / best_spread(heavy)
    too_many, too_few = np.mean(ratio <= 1) - 0.6827, 0.9545 - np.mean(ratio <= 2)
    assert too_many == pytest.approx(too_few, abs=0.005)
    assert too_many > 0


@pytest.fixture(params=["probed", "hidden"])
def loss_on(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def make_step(toy):
    """A tiny model and its step, in their first state; compiled once for equal settings."""
    made: dict[tuple, tuple[TrainStep, list[np.ndarray]]] = {}

    def variables(step: TrainStep) -> list:
        return [*step.model.variables, *step.optimizer.variables]

    def make_step(training: TrainingConfig, **model: float) -> TrainStep:
        key = (training, *model.items())
        if key not in made:
            strategy = make_strategy()
            with strategy.scope():
                step = TrainStep(toy.model(num_layers=1, **model), strategy, training, 10)
            made[key] = step, [np.array(v) for v in variables(step)]
        step, first = made[key]
        for variable, value in zip(variables(step), first):
            variable.assign(value)
        return step

    return make_step


def gradients_of(step: TrainStep) -> dict[str, np.ndarray]:
    """Adam's first momentum after one step is (1 - beta_1) times the gradient."""
    return {
        variable.path: np.asarray(momentum) / 0.1
        for variable, momentum in zip(step.model.trainable_variables, step.optimizer._momentums)
    }


def expected(model, batch, loss_on: str, error_weighted: bool = False):
    """Loss, gradients and hidden sums by the definition, window by window, without dropout."""
    weight = 1 / np.square(batch.errmag) if error_weighted else np.ones_like(batch.errmag)
    scored = getattr(batch.probing, loss_on)
    with tf.GradientTape() as tape:
        predicted = model(batch.times, batch.magnitudes, batch.probing.visible)
        error = tf.square(batch.target - predicted)
        windows = [
            tf.reduce_sum((error[row] * weight[row])[scored[row]]) / weight[row][scored[row]].sum()
            for row in range(len(batch))
            if scored[row].any()
        ]
        loss = tf.sqrt(tf.add_n(windows) / len(windows))
    variables = model.trainable_variables
    gradients = tape.gradient(loss, [v.value for v in variables])
    hidden = batch.probing.hidden
    squared = (error.numpy() * batch.scale[:, None].astype(np.float64) ** 2)[hidden].sum()
    spread = sum(
        ((t[h] - t[h].mean()) ** 2).sum() * float(s) ** 2
        for t, h, s in zip(batch.target, hidden, batch.scale)
        if h.any()
    )
    sums = [float(loss), hidden.sum(), squared, spread]
    return sums, {v.path: g.numpy() for v, g in zip(variables, gradients)}


@pytest.mark.parametrize("normalise", [False, True], ids=["raw", "normalised"])
def test_loss_gradient_and_sums_are_those_of_the_definition(
    toy, make_step, loss_on: str, normalise: bool
) -> None:
    # The last two windows are too short for a hidden step, the last one for a probed one.
    batch = toy.batch((20, 20, 7, 13, 3, 1), normalise=normalise)
    sums, gradients = expected(toy.model(num_layers=1), batch, loss_on)
    step = make_step(TrainingConfig(batch_size=8, loss_on=loss_on), dropout=0.0)
    assert step(batch, 0).numpy() == pytest.approx(sums, rel=1e-4)
    assert len(STEP_SUMS) == len(sums)
    for path, gradient in gradients_of(step).items():
        scale = float(np.abs(gradients[path]).max())
        assert gradient == pytest.approx(gradients[path], abs=1e-4 * scale + 1e-6), path


def test_products_in_bfloat16_give_nearly_the_same_gradient(toy, make_step) -> None:
    batch = toy.batch((20,) * 9 + (6,) * 10)
    found = []
    for precision in ("float32", "mixed_bfloat16"):
        step = make_step(TrainingConfig(batch_size=32, precision=precision), dropout=0.0)
        sums = step(batch, 0).numpy()
        assert all(v.dtype == "float32" for v in step.model.variables)
        found.append((sums, gradients_of(step)))
    (sums, exact), (rounded_sums, rounded) = found
    assert rounded_sums == pytest.approx(sums, rel=0.02)
    for path, gradient in exact.items():
        scale = float(np.abs(gradient).max())
        assert (rounded[path] != gradient).any(), path
        assert rounded[path] == pytest.approx(gradient, abs=0.1 * scale), path


def test_the_loss_can_be_weighed_by_the_errors(toy, make_step) -> None:
    batch = toy.batch()
    sums, gradients = expected(toy.model(num_layers=1), batch, "probed", True)
    step = make_step(TrainingConfig(batch_size=8, error_weighted=True), dropout=0.0)
    assert step(batch, 0).numpy() == pytest.approx(sums, rel=1e-4)
    assert sums[0] != pytest.approx(expected(toy.model(num_layers=1), batch, "probed")[0][0])
    for path, gradient in gradients_of(step).items():
        assert gradient == pytest.approx(gradients[path], abs=1e-4), path


def test_clipping_scales_the_whole_gradient(toy, make_step) -> None:
    batch, training = toy.batch(), TrainingConfig(batch_size=8, clip_norm=0.01)
    _, gradients = expected(toy.model(num_layers=1), batch, "probed")
    norm = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients.values()))
    assert norm > 0.1
    step = make_step(training, dropout=0.0)
    step(batch, 0)
    for path, gradient in gradients_of(step).items():
        assert gradient == pytest.approx(gradients[path] * 0.01 / norm, abs=2e-6), path


def test_the_optimizer_is_adam_as_published(toy, make_step) -> None:
    step = make_step(TrainingConfig(batch_size=8, learning_rate=1e-3), dropout=0.0)
    model = step.model
    kernel = model.head.kernel
    value = np.asarray(kernel).astype(np.float64)
    first = second = 0.0
    for number in range(3):
        batch = toy.batch(seed=number)
        _, gradients = expected(model, batch, "probed")
        gradient = gradients[kernel.path].astype(np.float64)
        first = 0.9 * first + 0.1 * gradient
        second = 0.98 * second + 0.02 * gradient**2
        corrected = first / (1 - 0.9 ** (number + 1)), second / (1 - 0.98 ** (number + 1))
        value -= 1e-3 * corrected[0] / (np.sqrt(corrected[1]) + 1e-9)
        step(batch, number)
        assert np.asarray(kernel) == pytest.approx(value, abs=2e-6)


def test_dropout_follows_the_step_and_the_seed(toy, make_step) -> None:
    def loss(number: int, seed: int = 42) -> float:
        step = make_step(TrainingConfig(batch_size=8, seed=seed), dropout=0.3)
        return float(step(toy.batch(), number)[0])

    assert loss(0) == loss(0)
    assert loss(0) != loss(1)
    assert loss(0) != loss(0, seed=1)


def test_empty_rows_that_fill_a_batch_change_nothing(toy, make_step) -> None:
    batch = toy.batch()
    small, large = (make_step(TrainingConfig(batch_size=size), dropout=0.2) for size in (5, 64))
    assert small(batch, 0).numpy() == pytest.approx(large(batch, 0).numpy(), rel=1e-5)
    for one, other in zip(gradients_of(small).values(), gradients_of(large).values()):
        assert one == pytest.approx(other, abs=1e-5)


def test_the_size_of_passes_changes_nothing(toy, make_step) -> None:
    batch = toy.batch((20,) * 9 + (6,) * 10 + (3,) * 8)
    training = TrainingConfig(batch_size=32)
    once, often = (
        make_step(replace(training, windows_per_pass=size), dropout=0.2) for size in (32, 4)
    )
    assert once(batch, 0).numpy() == pytest.approx(often(batch, 0).numpy(), rel=1e-5)
    for one, other in zip(gradients_of(once).values(), gradients_of(often).values()):
        assert one == pytest.approx(other, abs=1e-5)


def test_short_windows_cost_the_same_loss_as_padded_ones(toy, make_step, monkeypatch) -> None:
    batch = toy.batch((20,) * 9 + (6,) * 10 + (3,) * 8)
    step = make_step(TrainingConfig(batch_size=32), dropout=0.0)
    got, gradients = step(batch, 0).numpy(), gradients_of(step)
    whole = [MicroBatch(np.arange(len(batch)), 20, len(batch), 0)]
    monkeypatch.setattr("astromer.training.step.micro_batches_of", lambda *_: whole)
    step = make_step(TrainingConfig(batch_size=32), dropout=0.0)
    assert got == pytest.approx(step(batch, 0).numpy(), rel=1e-5)
    for one, other in zip(gradients.values(), gradients_of(step).values()):
        assert one == pytest.approx(other, abs=1e-5)


def test_a_batch_without_a_probed_step_leaves_the_weights(toy, make_step) -> None:
    step = make_step(TrainingConfig(batch_size=4))
    model = step.model
    before = [np.array(v) for v in model.variables]
    assert step(toy.batch((1, 1)), 0).numpy().tolist() == [0, 0, 0, 0]
    assert all((np.asarray(v) == b).all() for v, b in zip(model.variables, before))


def test_hidden_magnitudes_reach_the_error_alone(toy, make_step) -> None:
    """Where only visible steps are scored, targets planted at hidden ones change no bit."""
    batch = toy.batch()
    planted = replace(batch, target=np.where(batch.probing.hidden, np.float32(50), batch.target))
    probed = batch.probing.probed & ~batch.probing.hidden
    nothing = np.zeros_like(probed)

    def gradients(batch) -> list[np.ndarray]:
        visible_only = replace(batch, probing=Visible(batch.probing, probed, nothing))
        step = make_step(TrainingConfig(batch_size=8))
        step(visible_only, 0)
        return list(gradients_of(step).values())

    assert any(np.abs(g).max() > 1e-3 for g in gradients(batch))
    for one, other in zip(gradients(batch), gradients(planted)):
        assert one.tobytes() == other.tobytes()


class Visible:
    """A probing whose scored steps are chosen freely, with what the network sees unchanged."""

    def __init__(self, probing, probed: np.ndarray, hidden: np.ndarray):
        self.probed, self.hidden = probed, hidden
        self.visible, self.observed = probing.visible, probing.observed
        self.masking = probing.masking
