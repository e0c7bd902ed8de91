"""The best weights by validation loss, and when to give up."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np


class EarlyStopping:
    """Keeps the weights of the lowest loss; gives them back at the end.

    Args:
        variables: what is trained.
        patience: epochs without a lower loss before ``stop`` is True.

    Attributes:
        best: lowest loss so far.
        best_epoch: the epoch that reached it; 0 is before the first.
        stop: whether patience is used up.
    """

    def __init__(self, variables: Sequence[keras.Variable], patience: int) -> None:
        self._variables = list(variables)
        self._patience = patience
        self._weights: list[np.ndarray] = []
        self.best = float("inf")
        self.best_epoch = 0
        self.stop = False

    def look(self, epoch: int, loss: float) -> bool:
        """Takes note of an epoch's loss. Returns whether it is the lowest."""
        better = loss < self.best or not self._weights
        if better:
            self.best, self.best_epoch = loss, epoch
            self._weights = [np.array(variable) for variable in self._variables]
        self.stop = epoch - self.best_epoch >= self._patience
        return better

    def restore(self) -> None:
        """Sets the variables to the best weights."""
        for variable, value in zip(self._variables, self._weights):
            variable.assign(value)
