from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from astromer.evaluation.evaluation import evaluate
from astromer.reports.scores import HiddenSteps, days_to_nearest_visible
from astromer.validation.profile import NO_NAME


def test_all_windows_give_the_scores_of_the_evaluation(run, found) -> None:
    metrics = evaluate(run.model, run.curves, masking=run.masking, seed=run.seed).metrics
    [row] = HiddenSteps(found).all()
    assert row.steps == metrics["hidden_steps"]
    assert row.rmse["model"] == pytest.approx(metrics["hidden_rmse"], rel=1e-5)
    for name in ("mean", "interpolation"):
        assert row.rmse[name] == pytest.approx(metrics[f"{name}_hidden_rmse"], rel=1e-5)
        assert row.skill_over(name) == pytest.approx(metrics[f"skill_over_{name}"], rel=1e-4)


def test_every_hidden_step_is_in_one_group_of_each_kind(found) -> None:
    steps = HiddenSteps(found)
    [whole] = steps.all()
    for rows in (steps.by_length(), steps.by_gap(), steps.by_class()):
        assert len(rows) > 1
        assert sum(row.steps for row in rows) == whole.steps
        squares = sum(row.steps * row.rmse["model"] ** 2 for row in rows)
        assert squares == pytest.approx(whole.steps * whole.rmse["model"] ** 2)


def test_the_gap_is_the_time_to_the_nearest_visible_step(found) -> None:
    batch, days = found.batch, days_to_nearest_visible(found.batch)
    for window in range(len(batch)):
        visible = batch.times[window][batch.probing.visible[window]].astype(np.float64)
        for step in np.flatnonzero(batch.probing.hidden[window]):
            nearest = np.abs(visible - batch.times[window, step]).min()
            assert days[window, step] == pytest.approx(nearest)
    assert (days[batch.probing.visible] == 0).all()


def test_classes_that_are_unknown_make_no_table_and_many_are_joined(found) -> None:
    curves = found.curves
    nameless = replace(curves, class_names=np.full(len(curves), ""))
    assert HiddenSteps(replace(found, curves=nameless)).by_class() == []
    names = np.array([f"class {n}" for n in range(len(curves))])
    names[1] = ""
    rows = HiddenSteps(replace(found, curves=replace(curves, class_names=names))).by_class()
    assert len(rows) == 25
    assert rows[-1].name.endswith("other classes")
    assert NO_NAME in {row.name for row in rows} or rows[-1].steps > 0
