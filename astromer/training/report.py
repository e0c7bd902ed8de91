"""What a training run tells while it goes on: a line per epoch, and TensorBoard scalars."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

_NOT_SCALARS = ("epoch", "seconds")


class TrainingReport:
    """Writes to the terminal and to TensorBoard.

    Args:
        log_dir: folder of the TensorBoard logs.
        epochs: how many there are to be at most.
        silent: whether to write nothing, as workers do that are not the chief.
    """

    def __init__(self, log_dir: Path, epochs: int, silent: bool = False):
        self.epochs = epochs
        self._silent = silent
        self._writer = (
            tf.summary.create_noop_writer()
            if silent
            else tf.summary.create_file_writer(str(log_dir))
        )

    def step(self, row: dict[str, float], step: int) -> None:
        """Logs the epoch's metrics so far."""
        self._scalars("step/", row, step)

    def epoch(self, row: dict[str, float], waited: int) -> None:
        """Logs an epoch and prints its line."""
        self._scalars("epoch/", row, int(row["epoch"]) + 1)
        if self._silent:
            return
        best = f"no better for {waited}" if waited else "best so far"
        print(
            f"epoch {int(row['epoch']) + 1}/{self.epochs}  loss {row['train_loss']:.4f}  "
            f"validation: hidden RMSE {row['val_hidden_rmse']:.4f} mag, "
            f"R2 {row['val_hidden_r2']:.3f} (mean {row['val_mean_hidden_rmse']:.4f}, "
            f"interpolation {row['val_interpolation_hidden_rmse']:.4f})  "
            f"{row['seconds']:.0f} s, {best}",
            flush=True,
        )

    def _scalars(self, prefix: str, row: dict[str, float], step: int) -> None:
        with self._writer.as_default():
            for name, value in row.items():
                if name not in _NOT_SCALARS:
                    tf.summary.scalar(prefix + name, value, step=step)
        self._writer.flush()
