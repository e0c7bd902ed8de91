"""A tiny encoder and a small survey whose classes can be told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.encoder_sources import PretrainedSource
from astromer.finetuning.labelled_data import Dataset
from astromer.light_curves import LightCurve, LightCurves
from astromer.serving.export import export_saved_model

WINDOW = 20
CLASSES = ("RRL", "LPV", "flat")


def make_survey(per_class: int, seed: int, classes: tuple[str, ...] = CLASSES) -> LightCurves:
    """Light curves of 8 to 55 observations: fast and slow sinusoids, and nothing but noise."""
    rng = np.random.default_rng(seed)
    curves = []
    for number in range(per_class * len(classes)):
        label = number % len(classes)
        length = int(rng.integers(8, 56))
        mjd = 59000 + np.sort(rng.uniform(0, 200, length))
        period = {"RRL": 0.6, "LPV": 90.0, "flat": 1.0}[classes[label]]
        amplitude = 0.0 if classes[label] == "flat" else rng.uniform(0.5, 1.5)
        mag = 14 + rng.normal() + amplitude * np.sin(2 * np.pi * mjd / period + rng.uniform(0, 6))
        curves.append(
            LightCurve(
                mjd,
                (mag + rng.normal(0, 0.03, length)).astype(np.float32),
                rng.uniform(0.02, 0.05, length).astype(np.float32),
                id=f"star-{seed}-{number}",
                label=10 + label,
                class_name=classes[label],
            )
        )
    return LightCurves.from_curves(curves)


@pytest.fixture(scope="session")
def survey() -> dict[str, LightCurves]:
    return {"train": make_survey(12, 0), "validation": make_survey(6, 1), "test": make_survey(8, 2)}


@pytest.fixture(scope="session")
def dataset(survey) -> Dataset:
    return Dataset.of(survey)


@pytest.fixture(scope="session")
def pushed(toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of versions with one tiny encoder."""
    model = toy.model("astromer_v2", num_layers=1, d_model=16, window_size=WINDOW)
    folder = tmp_path_factory.mktemp("pushed")
    metadata = {"data_fingerprint": "survey-of-the-encoder"}
    export_saved_model(model, folder / "7", metadata)
    return folder


@pytest.fixture(scope="session")
def source(pushed: Path) -> PretrainedSource:
    return PretrainedSource(pushed)


@pytest.fixture(scope="session")
def phase_source(toy, tmp_path_factory: pytest.TempPathFactory) -> PretrainedSource:
    """A tiny encoder that sees periods."""
    model = toy.model("astromer_phase", num_layers=1, d_model=8, window_size=WINDOW, normalise=True)
    folder = tmp_path_factory.mktemp("pushed_phase")
    export_saved_model(model, folder / "1")
    return PretrainedSource(folder)


@pytest.fixture(scope="session")
def config() -> FinetuneConfig:
    return FinetuneConfig(head_hidden=8, head_epochs=15, epochs=2, batch_size=8, trees=20)
