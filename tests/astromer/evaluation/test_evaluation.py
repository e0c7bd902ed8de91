from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from astromer.evaluation import evaluation as evaluation_module
from astromer.evaluation.baselines import BASELINE_TITLES, score_baselines
from astromer.evaluation.evaluation import evaluate, fixed_batches
from astromer.light_curves import LightCurve, LightCurves
from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.windows.batches import assemble, sequential_windows
from astromer.windows.config import MaskingConfig

LENGTHS = (30, 20, 50, 7, 4, 1, 40)


class Constant:
    """A model that always predicts the same, centred; 0 is the window's mean."""

    encoder = SimpleNamespace(folds=False, periodogram=PeriodogramConfig())

    def __init__(self, value: float = 0.0, window_size: int = 20, normalise: bool = False):
        self.value, self.window_size, self.normalise = value, window_size, normalise

    def __call__(self, batch) -> np.ndarray:
        return np.full(batch.target.shape, self.value, np.float32)

    def with_spread(self, batch) -> tuple[np.ndarray, None]:
        return self(batch), None


def run(curves, value: float = 0.0, *, batch_size: int = 4, seed: int = 1, earlier=None, **model):
    constant = Constant(value, **model)
    return evaluate(
        constant,  # type: ignore[arg-type]
        curves,
        masking=MaskingConfig(),
        seed=seed,
        batch_size=batch_size,
        predictor=constant,  # type: ignore[arg-type]
        earlier=earlier,
    )


@pytest.fixture(scope="module")
def curves(toy):
    return toy.curves(LENGTHS)


@pytest.mark.parametrize("normalise", [False, True])
def test_predicting_the_mean_is_the_mean_baseline(curves, normalise: bool) -> None:
    metrics = run(curves, normalise=normalise).metrics
    assert metrics["hidden_rmse"] == pytest.approx(metrics["mean_hidden_rmse"], rel=1e-7)
    assert metrics["hidden_r2"] == pytest.approx(metrics["mean_hidden_r2"], abs=1e-7)
    assert metrics["skill_over_mean"] == pytest.approx(0, abs=1e-7)


def test_metrics_are_those_of_a_naive_loop(curves) -> None:
    evaluation = run(curves, 0.1)
    hidden, probed = [], []
    windows = 0
    for start, end in zip(curves.offsets, curves.offsets[1:]):
        for first in range(start, end, 20):
            index = slice(first, min(first + 20, end))
            one = replace_offsets(curves, index)
            batch = assemble(one, sequential_windows(one.offsets, 20), pick(curves, windows))
            errors = (batch.target[0].astype(float) - np.float32(0.1)) ** 2
            hidden += errors[batch.probing.hidden[0]].tolist()
            probed += errors[batch.probing.probed[0]].tolist()
            windows += 1
    metrics = evaluation.metrics
    assert metrics["windows"] == windows == len(evaluation.windows)
    assert metrics["hidden_steps"] == len(hidden)
    assert metrics["hidden_rmse"] == pytest.approx(math.sqrt(sum(hidden) / len(hidden)), rel=1e-6)
    assert metrics["probed_rmse"] == pytest.approx(math.sqrt(sum(probed) / len(probed)), rel=1e-6)
    for name in BASELINE_TITLES:
        ratio = metrics["hidden_rmse"] / metrics[f"{name}_hidden_rmse"]
        assert metrics[f"skill_over_{name}"] == pytest.approx(1 - ratio**2)


def replace_offsets(curves, index: slice):
    """One curve of the observations in ``index``."""
    return replace(
        curves,
        **{name: getattr(curves, name)[index] for name in ("mjd", "mag", "errmag")},
        offsets=np.array([0, index.stop - index.start]),
    )


def pick(curves, number: int):
    """The roles of window ``number`` of the whole evaluation."""
    windows = sequential_windows(curves.offsets, 20)
    batches = fixed_batches(Constant(), curves, windows, MaskingConfig(), 1, 1)  # type: ignore[arg-type]
    return [batch.probing for batch in batches][number]


def test_the_batch_size_changes_nothing(toy, curves) -> None:
    model = toy.model("astromer_v1")
    one, other = (
        evaluate(model, curves, masking=MaskingConfig(), seed=1, batch_size=size)
        for size in (3, 64)
    )
    for name, value in one.metrics.items():
        assert other.metrics[name] == pytest.approx(value, rel=1e-5), name
    assert (one.hidden["model"].count == other.hidden["model"].count).all()


def test_masks_are_fixed_by_the_seed_alone(curves) -> None:
    assert run(curves, seed=1).metrics == run(curves, seed=1, batch_size=100).metrics
    assert (
        run(curves, seed=1).metrics["mean_hidden_rmse"]
        != run(curves, seed=2).metrics["mean_hidden_rmse"]
    )


def test_a_perfect_model_has_skill_one(curves) -> None:
    perfect = Constant()
    evaluation = evaluate(
        perfect,  # type: ignore[arg-type]
        curves,
        masking=MaskingConfig(),
        seed=1,
        predictor=SimpleNamespace(with_spread=lambda batch: (batch.target, None)),  # type: ignore[arg-type]
    )
    metrics = evaluation.metrics
    assert (metrics["hidden_rmse"], metrics["hidden_r2"], metrics["probed_r2"]) == (0, 1, 1)
    assert metrics["skill_over_mean"] == metrics["skill_over_interpolation"] == 1


def test_groups_cover_classes_and_lengths(curves) -> None:
    evaluation = run(curves)
    groups = evaluation.groups()
    lengths = [name for name in groups if name.endswith(("steps", "more"))]
    classes = [name for name in groups if name.startswith("class ")]
    assert classes == ["class LPV", "class RRL"]
    assert lengths == ["1 to 4 steps", "5 to 49 steps"]
    for names in (classes, lengths):
        assert (sum(groups[name].astype(int) for name in names) == 1).all()
    assert groups["class LPV"].tolist() == [
        curves.class_names[c] == "LPV" for c in evaluation.windows.curve
    ]


def test_long_windows_have_groups_of_their_own(toy) -> None:
    groups = run(toy.curves([200, 199, 150, 149, 49, 50, 4, 5]), window_size=200).groups()
    counts = {name: int(chosen.sum()) for name, chosen in groups.items() if "steps" in name}
    assert counts == {
        "1 to 4 steps": 1,
        "5 to 49 steps": 2,
        "50 to 99 steps": 1,
        "100 to 149 steps": 1,
        "150 to 199 steps": 2,
        "200 and more steps": 1,
    }


def test_the_table_shows_model_and_baselines_for_all_and_each_group(curves) -> None:
    evaluation = run(curves, 0.1)
    rows = [line.split("  ") for line in evaluation.table().splitlines()]
    assert len(rows) == 6
    for line, name in zip(evaluation.table().splitlines()[1:], ("model", *BASELINE_TITLES)):
        assert line.startswith("all ")
        assert name in line
    model = evaluation.table().splitlines()[1]
    assert f"{evaluation.metrics['hidden_rmse']:.4f}" in model
    assert f"{evaluation.metrics['hidden_r2']:.3f}" in model
    assert f"{evaluation.metrics['skill_over_mean']:+.3f}" in evaluation.table().splitlines()[2]
    table = evaluation.table(by_group=True)
    assert len(table.splitlines()) == 1 + 5 * (1 + 3)  # windows of 1 to 4 have no hidden step
    assert "1 to 4 steps" not in table
    assert "class LPV" in table
    assert "5 to 49 steps" in table


def test_curves_without_a_class_have_no_class_group(curves) -> None:
    unknown = replace(curves, class_names=np.full(len(curves), ""))
    assert not [name for name in run(unknown).groups() if name.startswith("class")]


def test_a_baseline_without_error_is_no_crash() -> None:
    """Stars whose published magnitudes are all equal: the mean is exact."""
    still = LightCurve(
        np.arange(20.0), np.full(20, 14.1, np.float32), np.full(20, 0.1, np.float32), "still"
    )
    evaluation = run(LightCurves.from_curves([still, still]), 0.1)
    assert evaluation.metrics["mean_hidden_rmse"] == 0
    assert not evaluation.metrics["skill_over_mean"] > 0
    assert "interpolation" in evaluation.table(by_group=True)


def test_windows_too_short_to_hide_anything_score_nan(toy) -> None:
    evaluation = run(toy.curves([1, 2, 3]))
    assert evaluation.metrics["hidden_steps"] == 0
    assert math.isnan(evaluation.metrics["hidden_rmse"])
    assert "nan" in evaluation.table(by_group=True)


def test_baselines_of_an_earlier_evaluation_are_taken_for_the_same_windows(
    curves, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = run(curves, 0.1)
    expected = score_baselines(curves, 20, masking=MaskingConfig(), seed=1)
    for name, scores in expected.items():
        np.testing.assert_array_equal(scores.squared_error, earlier.hidden[name].squared_error)
    monkeypatch.setattr(evaluation_module, "score_baselines", lambda *_, **__: 1 / 0)
    again = run(curves, 0.2, earlier=earlier)
    assert again.hidden["harmonic"] is earlier.hidden["harmonic"]
    assert again.metrics["hidden_rmse"] != earlier.metrics["hidden_rmse"]
