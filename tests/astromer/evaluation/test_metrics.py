from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from astromer.evaluation.metrics import WindowScores


@pytest.fixture(params=[False, True], ids=["raw", "normalised"])
def case(request: pytest.FixtureRequest, toy):
    batch = toy.batch((20, 20, 7, 13, 5, 2), normalise=request.param)
    predicted = np.random.default_rng(0).normal(0, 0.3, batch.target.shape).astype(np.float32)
    return batch, predicted


def pairs(batch, predicted, scored) -> list[list[tuple[float, float]]]:
    """(true, predicted) magnitudes of the scored steps, window by window."""
    return [
        [
            (
                float(batch.target[row, step]) * float(batch.scale[row]),
                float(predicted[row, step]) * float(batch.scale[row]),
            )
            for step in np.flatnonzero(scored[row])
        ]
        for row in range(len(batch))
    ]


@pytest.mark.parametrize("role", ["hidden", "probed"])
def test_scores_are_those_of_a_naive_loop(case, role: str) -> None:
    batch, predicted = case
    scored = getattr(batch.probing, role)
    scores = WindowScores.of(batch, predicted, scored)
    windows = pairs(batch, predicted, scored)
    flat = [pair for window in windows for pair in window]
    error = sum((t - p) ** 2 for t, p in flat)
    spread = sum(
        (t - sum(t for t, _ in window) / len(window)) ** 2 for window in windows for t, _ in window
    )
    per_window = [sum((t - p) ** 2 for t, p in w) / len(w) for w in windows if w]
    assert scores.count.tolist() == [len(window) for window in windows]
    assert scores.rmse() == pytest.approx(math.sqrt(error / len(flat)), rel=1e-9)
    assert scores.r2() == pytest.approx(1 - error / spread, rel=1e-9)
    assert scores.rmse_per_window() == pytest.approx(
        math.sqrt(sum(per_window) / len(per_window)), rel=1e-9
    )


def test_scores_add_up_over_any_division_into_batches(toy) -> None:
    batch = toy.batch((20, 20, 7, 13, 5))
    predicted = np.zeros_like(batch.target)
    whole = WindowScores.of(batch, predicted, batch.probing.hidden)
    first, rest = np.arange(5) < 2, np.arange(5) >= 2
    joined = WindowScores.concatenate([whole.where(first), whole.where(rest)])
    assert joined.rmse() == whole.rmse()
    assert joined.r2() == whole.r2()
    assert whole.where(first).count.tolist() == whole.count[:2].tolist()


def test_predictions_elsewhere_do_not_matter_even_nan(case) -> None:
    batch, predicted = case
    hidden = batch.probing.hidden
    planted = np.where(hidden, predicted, np.float32(np.nan))
    assert WindowScores.of(batch, planted, hidden).rmse() == pytest.approx(
        WindowScores.of(batch, predicted, hidden).rmse()
    )


def test_a_perfect_prediction_and_none_at_all(case) -> None:
    batch, _ = case
    perfect = WindowScores.of(batch, batch.target, batch.probing.hidden)
    assert perfect.rmse() == 0
    assert perfect.r2() == 1
    nothing = WindowScores.of(batch, batch.target, np.zeros_like(batch.probing.hidden))
    assert math.isnan(nothing.rmse())
    assert math.isnan(nothing.r2())
    assert math.isnan(nothing.rmse_per_window())


def test_a_non_finite_prediction_is_not_hidden(case) -> None:
    batch, predicted = case
    planted = predicted.copy()
    planted[0, np.flatnonzero(batch.probing.hidden[0])[0]] = np.nan
    assert math.isnan(WindowScores.of(batch, planted, batch.probing.hidden).rmse())


def test_golden_metrics(shared) -> None:
    """The public code's numbers, which scores on probed steps are compared with."""
    golden = np.load(shared / "golden" / "astromer2_random.npz")
    true, predicted, scored = (
        golden[f"metric_{name}"][..., 0] for name in ("true", "pred", "mask")
    )
    batch = SimpleNamespace(target=true, scale=np.ones(len(true)))
    scores = WindowScores.of(batch, predicted, scored > 0.5)  # type: ignore[arg-type]
    assert scores.r2() == pytest.approx(float(golden["metric_r2"]), abs=1e-4)
    # The public code counts a window without scored steps as one without error.
    counted = np.count_nonzero(scores.count) / len(true)
    assert counted < 1
    assert scores.rmse_per_window() * counted**0.5 == pytest.approx(
        float(golden["metric_rmse"]), abs=1e-4
    )
