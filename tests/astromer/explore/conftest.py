"""Tables of embeddings without a model: light curves with traits, and vectors that follow them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from astromer.explore.traits import TRAITS, traits_of
from astromer.light_curves import LightCurve, LightCurves
from astromer.serving.embedding_table import describe_columns

MODEL = {"name": "starter", "version": "1", "sha256": "ab" * 32, "astromer_version": "0"}


def pulsator(number: int, period: float = 0.0, count: int = 200) -> LightCurve:
    """A star of half a magnitude, the same for the same number."""
    rng = np.random.default_rng([5, number])
    mjd = 58000 + np.sort(rng.uniform(0, 1000, count))
    period = period or float(rng.uniform(0.4, 0.8))
    angle = 2 * np.pi * mjd / period
    mag = 15 + 0.25 * np.sin(angle) + 0.08 * np.sin(2 * angle + 1) + rng.normal(0, 0.03, count)
    errmag = np.full(count, 0.03, np.float32)
    names = ("RRab", "EW")
    return LightCurve(
        mjd, mag.astype(np.float32), errmag, f"star-{number:03d}", number % 2, names[number % 2],
        "V", period,
    )  # fmt: skip


def write_table(path: Path, curves: LightCurves, status: np.ndarray | None = None) -> Path:
    """As ``astromer embed`` writes it; the periods are the known ones."""
    rng = np.random.default_rng(3)
    status = np.zeros(len(curves), np.int32) if status is None else status
    periods = np.stack([curves.periods, curves.periods / 2, curves.periods * 2], axis=1)
    traits = traits_of(curves, periods)
    vectors = rng.normal(0, 1, (len(curves), 12)) + 3 * (curves.labels[:, None] == 1)
    vectors = vectors.astype(np.float32)
    table = pa.table(
        {
            "id": curves.ids.tolist(),
            "class": curves.class_names.tolist(),
            "num_observations": curves.lengths,
            "status": pa.array(status, pa.int32()),
            "mean": pa.array(list(vectors[:, :4])),
            "period": curves.periods,
            "false_alarm_probability": np.where(np.isfinite(curves.periods), 0.0, 1.0),
            "embedding": pa.array(list(vectors)),
            "periods": pa.array(list(periods)),
            **traits,
        }
    )
    pq.write_table(describe_columns(table, TRAITS, MODEL), path)
    return path


@pytest.fixture
def survey() -> LightCurves:
    """Sixty ordinary stars of two classes."""
    return LightCurves.from_curves(map(pulsator, range(60)))


@pytest.fixture
def table_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes a table of light curves."""
    return lambda curves, status=None: write_table(tmp_path / "e.parquet", curves, status)
