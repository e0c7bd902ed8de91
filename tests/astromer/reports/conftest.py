"""A run whose survey has hostile names, and the report about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from astromer.reports.config import ReportConfig
from astromer.reports.lineage import LineageBuilder, Node
from astromer.reports.run import Run
from astromer.reports.run_report import write_run_report
from astromer.serving.export import export_saved_model
from astromer.training.report import COURSE
from astromer.windows.config import MaskingConfig

HOSTILE = '<script>alert("x")</script>'
FORMULA = "$\\frac{1}{ & \x1b[31m"


def make_row(epoch: int) -> dict[str, float]:
    names = ("train_loss", "train_hidden_rmse", "val_hidden_rmse", "val_interpolation_hidden_rmse")
    values = {name: 1.0 / (epoch + 1 + i) for i, name in enumerate(names)}
    return {"epoch": epoch, "seconds": 1.0 + epoch, "val_hidden_r2": -5.0 + 2 * epoch, **values}


@pytest.fixture(scope="session")
def run(toy) -> Run:
    lengths = [3, 20, 33, 41, 12, 27, 60, 20, 9, 31, 45, 22] * 3
    curves = toy.curves(lengths)
    ids, classes = curves.ids.astype(object), curves.class_names.astype(object)
    ids[:] = HOSTILE
    classes[classes == "RRL"] = FORMULA
    classes[0] = HOSTILE
    curves = replace(curves, ids=ids.astype(str), class_names=classes.astype(str))
    graph = LineageBuilder()
    graph.add(Node("a", HOSTILE, (HOSTILE,)))
    graph.add(Node("b", "Model", main=True), "a")
    course = {"history": [make_row(epoch) for epoch in range(4)], "resumed": [[1, 0], [2, 3]]}
    return Run(
        title=HOSTILE,
        model=toy.model(),
        model_config={"encoder": {"d_model": 8}, "metadata": {COURSE: course}},
        curves=curves,
        split="test",
        data=f"/data/{HOSTILE}",
        masking=MaskingConfig(),
        seed=42,
        blessed=False,
        reasons=f"it is no good {HOSTILE}",
        lineage=graph.build("a test"),
    )


@pytest.fixture(scope="session")
def report(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report."""
    folder = tmp_path_factory.mktemp("report")
    assert write_run_report(run, folder) == []
    return folder


@pytest.fixture(scope="session")
def found(run: Run) -> Any:
    """The reconstruction of all windows."""
    from astromer.reports.reconstructed_windows import reconstruct, sample_windows

    sample = sample_windows(run.curves, run.model.window_size, run.masking, run.seed, 10**6, 0)
    return reconstruct(run.model, run.curves, sample)


@pytest.fixture(scope="session")
def served(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel of the model."""
    return export_saved_model(toy.model(), tmp_path_factory.mktemp("served") / "1")


@pytest.fixture
def quick() -> ReportConfig:
    return ReportConfig(plotted_classes=0)


@pytest.fixture
def without_errors(run: Run) -> Run:
    unknown = np.full_like(run.curves.errmag, np.nan)
    return replace(run, curves=replace(run.curves, errmag=unknown))
