"""How a training went, epoch by epoch, over all its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astromer.system.storage import as_path
from astromer.training.report import COURSE
from astromer.training.tensorboard.event_files import LINES, event_files, read_events
from astromer.training.tensorboard.log import EPOCH

_OLDER = {"": ""}  # once whole names stood in the folder itself


@dataclass(frozen=True)
class History:
    """Metrics by epoch.

    Attributes:
        rows: one for each epoch: "epoch", counted from 0, and its metrics.
        resumed: epochs done, in fractions, when each part but the first began.
        source: where this was written down, in words.
    """

    rows: Sequence[Mapping[str, float]] = ()
    resumed: Sequence[float] = ()
    source: str = ""

    def series(self, name: str) -> tuple[list[float], list[float]]:
        """Epochs done and values of a metric, where it is finite."""
        found = [(row["epoch"] + 1, row[name]) for row in self.rows if name in row]
        kept = [(epoch, value) for epoch, value in found if math.isfinite(value)]
        return [epoch for epoch, _ in kept], [value for _, value in kept]

    def names(self) -> list[str]:
        """Metrics, in the order in which they first come."""
        return list(dict.fromkeys(name for row in self.rows for name in row if name != "epoch"))

    def best_epoch(self) -> int | None:
        """Epochs done when the hidden-step RMSE of validation was lowest."""
        epochs, values = self.series("val_hidden_rmse")
        return int(epochs[values.index(min(values))]) if values else None


def read_history(metadata: Mapping[str, Any], logs: Path | None) -> History:
    """The history that a model carries, else that of its TensorBoard logs.

    Args:
        metadata: of the model.
        logs: folder of the logs, if there is one.
    """
    course = metadata.get(COURSE)
    if course and course.get("history"):
        # A part that began within an epoch is marked between its neighbours.
        resumed = [epoch + (0.5 if step else 0.0) for epoch, step in course.get("resumed", ())]
        return History(course["history"], resumed, "the model's own record")
    if logs is not None and as_path(logs).is_dir():
        return _from_logs(as_path(logs))
    return History()


def _from_logs(folder: Path) -> History:
    """Every part of a training writes a file of its own; they are named by the time."""
    rows: dict[int, dict[str, float]] = {}
    begun: set[float] = set()
    for line, prefix in {**_OLDER, **LINES}.items():
        for file in event_files(folder / line):
            first: int | None = None
            for event in read_events(file):
                for value in event.summary.value:
                    if not value.tag.startswith(EPOCH):
                        continue
                    epoch = event.step - 1
                    first = epoch if first is None else first
                    row = rows.setdefault(epoch, {"epoch": epoch})
                    row[prefix + value.tag[len(EPOCH) :]] = _scalar(value)
            if first is not None:
                begun.add(float(first))
    ordered = [rows[epoch] for epoch in sorted(rows)]
    return History(ordered, sorted(begun)[1:], "the TensorBoard logs")


def _scalar(value: Any) -> float:
    import tensorflow as tf

    if value.HasField("tensor"):
        return float(tf.make_ndarray(value.tensor))
    return float(value.simple_value)
