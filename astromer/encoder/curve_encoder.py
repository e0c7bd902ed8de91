"""Light curves of any length through an encoder, pooled for a head."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from astromer.encoder.inference import network_inputs, passes_of
from astromer.encoder.pooling import num_vectors, pool_steps, pool_windows_numpy
from astromer.encoder.reconstructor import Reconstructor
from astromer.light_curves import LightCurves
from astromer.system.progress import progress_bar
from astromer.windows.batches import assemble
from astromer.windows.masking import nothing_probed
from astromer.windows.windows import sequential_windows

_WINDOWS_PER_BATCH = 512
_INPUTS = (
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.float32),
    tf.TensorSpec([None, None], tf.bool),
)


class CurveEncoder:
    """Encodes light curves with the weights that a model has at the moment of the call.

    Args:
        model: the encoder to use, with its window size and normalisation.
        head: "mean", "max" or "layers"; see :mod:`astromer.encoder.pooling`.
    """

    def __init__(self, model: Reconstructor, head: str) -> None:
        self.model = model
        self.head = head
        encoder = model.encoder

        @tf.function(input_signature=_INPUTS, autograph=False)
        def run(times: tf.Tensor, magnitudes: tf.Tensor, visible: tf.Tensor) -> tf.Tensor:
            return pool_steps(encoder.layer_outputs(times, magnitudes, visible), visible, head)

        self._run = run

    def __call__(self, curves: LightCurves, *, desc: str = "", progress: bool = False) -> Any:
        """float32 [num_curves, K, d_model], pooled over the observed steps of all windows."""
        model = self.model
        windows = sequential_windows(curves.offsets, model.window_size)
        vectors = num_vectors(self.head, model.encoder.num_layers)
        pooled = np.zeros((len(windows), vectors, model.encoder.d_model), np.float32)
        strategy = tf.distribute.get_strategy()
        with progress_bar(
            total=len(windows), desc=desc or "encode", unit="window", disable=not progress
        ) as bar:
            for first in range(0, len(windows), _WINDOWS_PER_BATCH):
                some = windows[first : first + _WINDOWS_PER_BATCH]
                probing = nothing_probed(some.length, model.window_size)
                batch = assemble(curves, some, probing, normalise=model.normalise)
                inputs = network_inputs(batch)
                for part in passes_of(batch, model, strategy):
                    chosen = [array[part.rows, : part.steps] for array in inputs.values()]
                    pooled[first + part.rows] = self._run(*chosen).numpy()
                bar.update(len(some))
        return pool_windows_numpy(pooled, windows.curve, curves.lengths, self.head)
