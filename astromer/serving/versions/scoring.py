"""Scores of several versions on the same light curves and masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from astromer.evaluation.config import EvaluationConfig
from astromer.evaluation.evaluation import evaluate
from astromer.records.reader import read_light_curves
from astromer.serving.export import load_model
from astromer.system.errors import DataNotFoundError
from astromer.windows.config import MaskingConfig


def score_all(
    versions: Sequence[Path], files: Sequence[Path], masking: MaskingConfig, seed: int
) -> list[dict[str, Any]]:
    """Metrics of each version, see :class:`astromer.evaluation.evaluation.Evaluation`.

    Versions with windows of the same size are scored at the same hidden steps.

    Raises:
        DataNotFoundError: there are no light curves.
        ModelError: a version cannot be rebuilt.
    """
    curves = read_light_curves(files, progress=True)
    if not len(curves):
        raise DataNotFoundError(f"{files[0].parent} holds no light curve.")
    found = []
    for version in versions:
        scores = evaluate(
            load_model(version),
            curves,
            masking=masking,
            seed=seed,
            batch_size=EvaluationConfig().batch_size,
            progress=True,
        )
        found.append({**scores.metrics, "table": scores.table(by_group=True)})
    return found
