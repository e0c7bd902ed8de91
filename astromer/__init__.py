"""AstroMer: a transformer encoder for light curves.

``astromer.load(path)`` loads a pushed model to embed with, ``astromer.load_trainable(path)`` its
encoder to train on; nothing heavy is imported before that.
"""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    from pathlib import Path

    from astromer.serving.embedder import Embedder
    from astromer.serving.keras_layer import TrainableEncoder

__version__ = "0.2.0"


def load(path: str | Path | None = None, version: int | None = None) -> Embedder:
    """Loads a pushed model.

    Args:
        path: a SavedModel folder, or a folder of versions; by default ``outputs/serving/astromer``,
            where ``make run`` pushes to.
        version: which version of the folder; by default the one that ``latest`` names, else the
            newest.

    Raises:
        ModelError: if there is none, or it cannot be loaded.
    """
    from astromer.system.logs import silence

    silence()
    from astromer.serving.embedder import Embedder
    from astromer.serving.versions.folder import find_version

    return Embedder(find_version(path, version))


def load_trainable(path: str | Path | None = None, version: int | None = None) -> TrainableEncoder:
    """Rebuilds the encoder of a pushed model as a Keras layer, with its weights, to train on.

    A SavedModel that ``tf.saved_model.load`` gives back will not do: Keras 3 does not see its
    variables, so that ``fit`` around it trains the head alone and says nothing.

    Args:
        path, version: as in :func:`load`.

    Raises:
        ModelError: if there is none, or its config and weights do not fit each other.
    """
    from astromer.system.logs import silence

    silence()
    from astromer.records.config import LightCurveRules
    from astromer.serving.export import load_model
    from astromer.serving.keras_layer import TrainableEncoder
    from astromer.serving.saved_model import read_config
    from astromer.serving.versions.folder import find_version

    folder = find_version(path, version)
    return TrainableEncoder(load_model(folder), LightCurveRules(**read_config(folder)["rules"]))
