"""Pooled embeddings of the light curves that a study needs, made once for each encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from astromer.encoder.curve_encoder import CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.dataset import Dataset
from astromer.finetuning.head_training import Labelled
from astromer.system.npz import DAMAGED, read_arrays


class Embeddings:
    """Features of some light curves of each split, by their positions.

    Args:
        dataset: the light curves.
        positions: int64 by split, rising: those that are needed.
        features: float32 [num_positions, K, d_model] by split.
    """

    def __init__(
        self,
        dataset: Dataset,
        positions: Mapping[str, np.ndarray],
        features: Mapping[str, np.ndarray],
    ) -> None:
        self._dataset = dataset
        self._positions = positions
        self._features = features

    def at(self, split: str, positions: np.ndarray) -> Labelled:
        """Features and classes of the light curves at some of the positions."""
        rows = np.searchsorted(self._positions[split], positions)
        return Labelled(self._features[split][rows], self._dataset.classes[split][positions])


def embed_dataset(
    model: Reconstructor,
    head: str,
    dataset: Dataset,
    positions: Mapping[str, np.ndarray],
    folder: Path,
    key: str,
    *,
    desc: str = "",
    progress: bool = False,
) -> Embeddings:
    """Encodes light curves, or reads what an earlier call has left in a folder.

    Args:
        model: the encoder.
        head: what the head reads; see :mod:`astromer.encoder.pooling`.
        dataset: the light curves.
        positions: int64 by split, rising: those to encode.
        folder: of the cache.
        key: names encoder and data; the rest is added here.
        desc: of the progress bar.
        progress: whether to show it.
    """
    digest = hashlib.sha256(f"{key} {head} {dataset.fingerprint}".encode())
    for split, chosen in positions.items():
        digest.update(split.encode() + chosen.tobytes())
    path = folder / f"{digest.hexdigest()[:16]}.npz"
    features = _read(path, positions)
    if features is None:
        encode = CurveEncoder(model, head)
        features = {
            split: encode(
                dataset.curves[split].take(chosen), desc=f"{desc} {split}", progress=progress
            )
            for split, chosen in positions.items()
        }
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, **features)  # type: ignore[arg-type]
        partial.replace(path)
    return Embeddings(dataset, positions, features)


def _read(path: Path, positions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """The features in a file; None where there is none or it is damaged: they are made again."""
    try:
        saved = read_arrays(path)
        features = {split: saved[split] for split in positions}
    except DAMAGED:
        return None
    fits = all(len(features[split]) == len(chosen) for split, chosen in positions.items())
    return features if fits else None
