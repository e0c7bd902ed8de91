"""What was measured in each epoch of a training run, in little more memory than its numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import overload

import numpy as np

_EPOCH = "epoch"


class EpochHistory(Sequence[dict[str, float]]):
    """One row for each epoch that is done: "epoch", from 0, and its metrics.

    All rows have the same metrics; what an epoch did not measure is NaN. They are kept as numbers
    side by side, as a run of many short epochs holds all of its rows to the end.

    Args:
        rows: the first ones.
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()):
        self.metrics: tuple[str, ...] = ()
        self._values = array("d")
        for row in rows:
            self.append(row)

    @classmethod
    def from_values(cls, metrics: Iterable[str], values: np.ndarray) -> EpochHistory:
        """The history with these ``metrics`` and these :meth:`values`.

        Raises:
            ValueError: the values are not float64 [epochs, metrics].
        """
        history = cls()
        history.metrics = tuple(metrics)
        if (values.dtype, values.shape[1:]) != (np.float64, (len(history.metrics),)):
            raise ValueError(f"{values.dtype} {values.shape} for {len(history.metrics)} metrics")
        history._values.frombytes(values.tobytes())
        return history

    def values(self) -> np.ndarray:
        """float64 [epochs, metrics], a copy."""
        return np.array(self._values).reshape(-1, max(len(self.metrics), 1))[:, : len(self.metrics)]

    def append(self, row: Mapping[str, float]) -> None:
        """Adds the row of the epoch that follows the last."""
        self._widen([name for name in row if name != _EPOCH and name not in self.metrics])
        self._values.extend(row.get(name, float("nan")) for name in self.metrics)

    def _widen(self, more: Sequence[str]) -> None:
        """Makes room for metrics that another release of the program measures."""
        if not more:
            return
        before = list(self)
        self.metrics = (*self.metrics, *more)
        self._values = array("d")
        for row in before:
            self.append(row)

    def __len__(self) -> int:
        return len(self._values) // len(self.metrics) if self.metrics else 0

    @overload
    def __getitem__(self, index: int) -> dict[str, float]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, float]]: ...

    def __getitem__(self, index: int | slice) -> dict[str, float] | list[dict[str, float]]:
        epochs = range(len(self))[index]
        return self._row(epochs) if isinstance(epochs, int) else [self._row(e) for e in epochs]

    def _row(self, epoch: int) -> dict[str, float]:
        first = epoch * len(self.metrics)
        values = self._values[first : first + len(self.metrics)]
        return {_EPOCH: epoch, **dict(zip(self.metrics, values, strict=True))}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)})"
