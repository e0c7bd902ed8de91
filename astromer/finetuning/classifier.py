"""An encoder with a classification head."""

from __future__ import annotations

import keras
import numpy as np

from astromer.encoder.curve_encoder import CurveEncoder
from astromer.encoder.pooling import num_vectors
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.config import FinetuneConfig
from astromer.finetuning.head import Head
from astromer.finetuning.label_map import LabelMap
from astromer.light_curves import LightCurves


class Classifier:
    """Light curves of any length in, class probabilities out.

    Args:
        model: holds the encoder, its window size and normalisation.
        head: the classification head.
        pooling: what the head reads: "mean", "max" or "layers".
        label_map: the classes, in the order of the head's outputs.
    """

    def __init__(self, model: Reconstructor, head: Head, pooling: str, label_map: LabelMap) -> None:
        self.model = model
        self.head = head
        self.pooling = pooling
        self.label_map = label_map
        self.encode = CurveEncoder(model, pooling)

    @property
    def variables(self) -> list[keras.Variable]:
        """The weights of encoder and head; the reconstruction head is not among them."""
        return [*self.model.encoder.variables, *self.head.variables]

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """Those that training changes where the encoder is trainable."""
        return [*self.model.encoder.trainable_variables, *self.head.trainable_variables]

    def logits(self, curves: LightCurves, *, desc: str = "", progress: bool = False) -> np.ndarray:
        """float32 [num_curves, num_classes], with the weights of the moment."""
        return self.head(self.encode(curves, desc=desc, progress=progress)).numpy()


def make_head(
    model: Reconstructor, config: FinetuneConfig, num_classes: int, seed: int, name: str = "head"
) -> Head:
    """A head with fresh weights that fits an encoder."""
    encoder = model.encoder
    return Head(
        num_classes,
        num_vectors(config.head, encoder.num_layers),
        encoder.d_model,
        config.head_hidden,
        config.head_dropout,
        seed=seed,
        name=name,
    )
