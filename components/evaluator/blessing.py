"""The rules that decide whether a model may be pushed."""

from __future__ import annotations

import math
from collections.abc import Mapping

JUDGED = "hidden_rmse"
"""Error at hidden steps [mag] on the test split; the one number that models compete on."""


def objections(
    metrics: Mapping[str, float],
    baseline: Mapping[str, float] | None,
    max_rmse_increase: float,
) -> list[str]:
    """Reasons not to push a model; none means it is blessed.

    Args:
        metrics: of the model, see :meth:`astromer.evaluation.evaluation.Evaluation.metrics`.
        baseline: of the pushed model on the same light curves and masks, None if there is none.
        max_rmse_increase: fraction by which the model's error may exceed the baseline's.
    """
    reasons = [
        f"{name} is {value}, not a finite number"
        for name, value in metrics.items()
        if "rmse" in name and not math.isfinite(value)
    ]
    if reasons or baseline is None or not math.isfinite(baseline[JUDGED]):
        return reasons
    allowed = baseline[JUDGED] * (1 + max_rmse_increase)
    if metrics[JUDGED] > allowed:
        reasons.append(
            f"{JUDGED} {metrics[JUDGED]:.4f} mag exceeds the pushed model's "
            f"{baseline[JUDGED]:.4f} mag by more than {max_rmse_increase:.0%}"
        )
    return reasons
