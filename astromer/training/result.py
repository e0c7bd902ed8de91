"""What a training run leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from astromer.encoder.reconstructor import Reconstructor

COURSE = "course"
"""Among the metadata of a pushed model: what :meth:`TrainingResult.course` gives."""


@dataclass(frozen=True)
class TrainingResult:
    """A trained model.

    Attributes:
        model: with the weights of the best epoch.
        history: one row for each epoch: "epoch", "seconds" and the metrics, "val_" ones from
            the validation split.
        summary: JSON-able facts: parameters, epochs, best epoch, best metrics, seconds.
        resumed: epoch and step at which each part of a run that was stopped went on.
    """

    model: Reconstructor
    history: list[dict[str, float]]
    summary: dict[str, Any]
    resumed: list[list[int]] = field(default_factory=list)

    def course(self) -> dict[str, Any]:
        """How the training went, as plain JSON types."""
        return {"history": self.history, "resumed": self.resumed}
