"""Which objects hold the values that the schema refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from astromer.records.codec import SERIES
from astromer.records.limits import outside
from astromer.records.reader import iterate_batches
from pipeline_config import LightCurveRules


def offending_objects(
    files: Sequence[str], series: Sequence[str], rules: LightCurveRules, most: int = 3
) -> tuple[list[str], int]:
    """Objects whose series break the rules.

    Args:
        files: record files of a split.
        series: whose values to look at: of "mjd", "mag" and "errmag", since others have no
            rule. Empty for objects with too few observations.
        rules: the limits.
        most: how many names to return.

    Returns:
        The first objects' names, and how many objects there are.
    """
    names: list[str] = []
    total = 0
    for batch in iterate_batches(files):
        starts = batch.offsets[:-1]
        too_short = batch.lengths < rules.min_observations
        bad = np.zeros(len(batch), bool) if series else too_short
        for name in set(series) & set(SERIES):
            bad |= np.logical_or.reduceat(outside(getattr(batch, name), name, rules), starts)
        for index in np.flatnonzero(bad):
            if len(names) < most:
                names.append(batch.contexts()[index].id or f"number {batch.first_record + index}")
        total += int(bad.sum())
    return names, total
