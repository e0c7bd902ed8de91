"""The rules that decide whether a classifier may be pushed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from astromer.finetuning.encoder_sources import RANDOM
from astromer.finetuning.trials import Cell

JUDGED = "macro_f1"
"""On the test split; the one number that classifiers compete on."""


def objections(
    served: Mapping[str, Any],
    chosen: Cell,
    results: Sequence[Mapping[str, Any]],
    majority: Mapping[str, Any],
    bless_over: str,
) -> list[str]:
    """Reasons not to push a classifier; none means it is blessed.

    Args:
        served: its scores on the test split, from the answers of its SavedModel.
        chosen: how it was made.
        results: of all cells.
        majority: scores of the most frequent class.
        bless_over: "random" asks for more than a random encoder with the same shots, encoder mode
            and light curves (seed); "majority" for more than the most frequent class.
    """
    if not math.isfinite(served[JUDGED]):
        return [f"{JUDGED} is {served[JUDGED]}, not a finite number"]
    rivals = {"the most frequent class": majority}
    if bless_over == RANDOM:
        alike = Cell(RANDOM, chosen.encoder, chosen.shots, chosen.seed)
        found = [result for result in results if Cell.of(result) == alike]
        if not found:
            return ["there is no random encoder to compare with: add --baselines random"]
        rivals["a random encoder"] = found[0]
    return [
        f"{JUDGED} {served[JUDGED]:.3f} does not exceed that of {name}, {rival[JUDGED]:.3f}"
        for name, rival in rivals.items()
        if not served[JUDGED] > rival[JUDGED]
    ]
