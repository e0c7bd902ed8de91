"""What a training run leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from astromer.encoder import Reconstructor


@dataclass(frozen=True)
class TrainingResult:
    """A trained model.

    Attributes:
        model: with the weights of the best epoch.
        history: one row for each epoch: "epoch", "seconds" and the metrics, "val_" ones from
            the validation split.
        summary: JSON-able facts: parameters, epochs, best epoch, best metrics, seconds.
    """

    model: Reconstructor
    history: list[dict[str, float]]
    summary: dict[str, Any]
