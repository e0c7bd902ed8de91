"""Which objects hold the values that the schema refused."""

from __future__ import annotations

from typing import Sequence

import numpy as np

from astromer.records.reader import iterate_batches
from pipeline_config import LightCurveRules


def offending_objects(
    files: Sequence[str], series: str, rules: LightCurveRules, most: int = 3
) -> tuple[list[str], int]:
    """Objects whose series breaks the rules.

    Args:
        files: record files of a split.
        series: "mjd", "mag" or "errmag"; others have no rule.
        rules: the limits.
        most: how many names to return.

    Returns:
        The first objects' names, and how many objects there are.
    """
    names: list[str] = []
    total = 0
    for batch in iterate_batches(files):
        starts = batch.offsets[:-1]
        bad = batch.lengths < rules.min_observations
        values = getattr(batch, series, None)
        if values is not None:
            bad |= np.logical_or.reduceat(_outside(values, series, rules), starts)
        for index in np.flatnonzero(bad):
            if len(names) < most:
                name = batch.contexts()[index].id
                names.append(name or f"number {batch.first_record + index}")
        total += int(bad.sum())
    return names, total


def _outside(values: np.ndarray, series: str, rules: LightCurveRules) -> np.ndarray:
    """bool, True where a value is not finite or outside its range."""
    low, high = getattr(rules, f"min_{series}"), getattr(rules, f"max_{series}")
    with np.errstate(invalid="ignore"):
        if series == "errmag":
            inside = (values > low) & (values < high)
        else:
            inside = (values >= low) & (values <= high)
    return ~inside
