"""Running the network over batches of windows, on every replica."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from astromer.batches import Batch
from astromer.distribution import divide, rows_per_replica
from astromer.encoder import Reconstructor


class Predictor:
    """Reconstructs batches; one compiled shape for all of them.

    Args:
        model: the model, made under ``strategy``.
        batch_size: windows per call at most.
        strategy: where to run; None for the default device.
    """

    def __init__(
        self,
        model: Reconstructor,
        batch_size: int,
        strategy: tf.distribute.Strategy | None = None,
    ) -> None:
        self.strategy = strategy or tf.distribute.get_strategy()
        self.rows = rows_per_replica(self.strategy, batch_size)

        @tf.function(reduce_retracing=True)
        def run(inputs: dict[str, Any]) -> Any:
            return self.strategy.run(lambda inputs: model(**inputs), args=(inputs,))

        self._run = run

    def __call__(self, batch: Batch) -> np.ndarray:
        """float32 [num_windows, window_size], centred and scaled like ``batch.target``."""
        inputs = divide(self.strategy, network_inputs(batch), self.rows)
        predicted = self._run(inputs)
        if self.strategy.num_replicas_in_sync > 1:
            predicted = self.strategy.gather(predicted, axis=0)  # from other workers, too
        return predicted.numpy()[: len(batch)]


def network_inputs(batch: Batch) -> dict[str, np.ndarray]:
    """What the network is given of a batch: nothing of the hidden magnitudes."""
    return {
        "times": batch.times,
        "magnitudes": batch.magnitudes,
        "visible": batch.probing.visible,
    }
