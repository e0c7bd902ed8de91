"""The lines of a training run on the terminal, and its result."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from astromer.encoder.reconstructor import Reconstructor
from astromer.system.terminal import say, warn
from astromer.system.text import duration


class TrainingReport:
    """Writes to the terminal.

    Args:
        epochs: the most that there may be.
        silent: whether another worker, the chief, reports the epochs.
    """

    def __init__(self, epochs: int, silent: bool = False):
        self.epochs = epochs
        self._silent = silent
        self._began = False

    def resumed(self, checkpoint: object, epoch: int, step: int) -> None:
        """In every worker; epochs count from 0."""
        say(f"Resuming from {checkpoint}: epoch {epoch + 1}, step {step}")

    def kernels(self, now: str, before: str, is_slower: bool) -> None:
        """What computes now, and what did before a resumption; "" if nothing did."""
        logging.getLogger(__name__).info("computing with %s", now)
        if before and before != now:
            say(f"note: it began with {before}, and goes on with {now}: last bits may differ")
        if is_slower:
            say(
                "note: mixed_bfloat16 is slower than float32 here; --precision auto would take that"
            )

    def fell_back(self, damaged: object, earlier: object) -> None:
        """The newest checkpoint is damaged, and the one before it is used."""
        say(warn(f"The newest checkpoint, {damaged}, is damaged; the one before it,"))
        say(warn(f"{earlier}, is used instead. The result is the same."))

    def title(self, epoch: int, history: Sequence[dict[str, float]]) -> str:
        """The bar's title in an epoch, counted from 0, with the time that all may take yet."""
        title = f"epoch {epoch + 1}/{self.epochs}"
        if not history:
            return title
        left = (self.epochs - epoch) * history[-1]["seconds"] / len(history)
        return f"{title}, all in {duration(left)}"

    def epoch(self, row: dict[str, float], waited: int) -> None:
        """Prints the line of an epoch, and above the first one the scores of the baselines."""
        if self._silent:
            return
        if not self._began:
            self._began = True
            say(
                f"Hidden steps of the validation split: RMSE {row['val_mean_hidden_rmse']:.4f} mag "
                f"by their mean,\n{row['val_interpolation_hidden_rmse']:.4f} mag by linear "
                f"interpolation, {_best_harmonic_fit(row):.4f} mag by harmonic fits,\n"
                "and by this model:"
            )
        title = f"epoch {int(row['epoch']) + 1}/{self.epochs}"
        best = f"no better for {waited}" if waited else "best so far"
        say(
            f"{title:13} RMSE {row['val_hidden_rmse']:.4f}, R2 {row['val_hidden_r2']:6.3f}, "
            f"loss {row['train_loss']:.4f}, {duration(row['seconds']):>6}, {best}"
        )


def _best_harmonic_fit(row: dict[str, float]) -> float:
    return min(row["val_harmonic_hidden_rmse"], row["val_harmonic_curve_hidden_rmse"])


COURSE = "course"
"""The key of :meth:`TrainingResult.course` in the metadata of a pushed model."""


@dataclass(frozen=True)
class TrainingResult:
    """A trained model.

    Attributes:
        model: with the weights of the best epoch.
        history: one row for each epoch: "epoch", "seconds" and the metrics, "val_" ones from
            the validation split.
        summary: JSON-able facts: parameters, epochs, best epoch, best metrics, seconds.
        resumed: epoch and step at which each resumed part began.
        trained_on: see :func:`astromer.validation.training_range.training_range`.
    """

    model: Reconstructor
    history: list[dict[str, float]]
    summary: dict[str, Any]
    resumed: list[list[int]] = field(default_factory=list)
    trained_on: dict[str, list[float]] = field(default_factory=dict)

    def course(self) -> dict[str, Any]:
        """History and resumptions as plain JSON types."""
        return {"history": self.history, "resumed": self.resumed}
