"""Embedding light curves with a pushed model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from astromer.errors import ModelError
from astromer.export import latest_version, read_config
from astromer.light_curves import LightCurves
from astromer.progress import progress_bar


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of a set of light curves, in its order.

    Attributes:
        ids: str [num_curves].
        mean: float32 [num_curves, d_model], mean over the observed steps.
        max: float32 [num_curves, d_model], maximum over the observed steps.
        num_observations: int64 [num_curves], usable observations.
        status: int32 [num_curves]; 0 = fine, 1 = fewer than 5 usable observations (zeros).
    """

    ids: np.ndarray
    mean: np.ndarray
    max: np.ndarray
    num_observations: np.ndarray
    status: np.ndarray


class Embedder:
    """A pushed model, ready to embed.

    Args:
        path: a SavedModel folder, or a folder of versions, of which the newest is taken.

    Raises:
        ModelError: if there is none, or it cannot be loaded.
    """

    def __init__(self, path: str | Path):
        self.path = latest_version(path)
        self.config: dict[str, Any] = read_config(self.path)
        try:
            loaded = tf.saved_model.load(str(self.path))
            self._embed = loaded.signatures["embed"]
        except (OSError, KeyError, ValueError, tf.errors.OpError) as error:
            raise ModelError(
                f"A pushed model must load and have an 'embed' signature. {self.path}: {error}"
            ) from error
        self._loaded = loaded  # owns the variables that the signature uses

    def embed(
        self, curves: LightCurves, *, batch_size: int = 64, progress: bool = True
    ) -> Embeddings:
        """Embeds light curves of any length.

        Args:
            curves: the light curves; 5 usable observations each at least.
            batch_size: light curves per call; changes speed only.
            progress: whether to show a bar.
        """
        outputs: list[dict[str, np.ndarray]] = []
        # Curves of like length share a batch, so that little is spent on padding.
        order = np.argsort(curves.lengths, kind="stable")
        with progress_bar(
            total=len(curves), desc="embed", unit="curve", disable=not progress
        ) as bar:
            for rows in _groups(order, batch_size):
                arrays = _padded(curves, rows)
                result = self._embed(**{k: tf.constant(v) for k, v in arrays.items()})
                outputs.append({name: value.numpy() for name, value in result.items()})
                bar.update(len(rows))
        back = np.argsort(order, kind="stable")

        def joined(name: str) -> np.ndarray:
            return np.concatenate([output[name] for output in outputs])[back]

        if not outputs:
            width = self.config["encoder"]["d_model"]
            nothing = np.empty((0, width), np.float32)
            return Embeddings(curves.ids, nothing, nothing, np.empty(0, int), np.empty(0, int))
        return Embeddings(
            curves.ids, joined("mean"), joined("max"), joined("num_observations"), joined("status")
        )


def _groups(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _padded(curves: LightCurves, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The arguments of the ``embed`` signature."""
    length = curves.lengths[rows]
    step = np.arange(max(int(length.max(initial=0)), 1))
    inside = step[None, :] < length[:, None]
    index = np.where(inside, curves.offsets[rows][:, None] + step, 0)
    return {
        "mjd": np.where(inside, curves.mjd[index], 0.0),
        "mag": np.where(inside, curves.mag[index], np.float32(0)),
        "errmag": np.where(inside, curves.errmag[index], np.float32(0)),
        "length": length.astype(np.int64),
    }
