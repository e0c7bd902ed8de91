"""One cell of the comparison: a method, its shots and its seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.encoder.pooling import CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.classifier_training import Labelled
from astromer.finetuning.labelled_data import Dataset
from astromer.system.atomic import replace_file, write_file
from astromer.system.untrusted_files import DAMAGED, read_arrays


@dataclass(frozen=True)
class Cell:
    """What is trained.

    Attributes:
        source: "pretrained", "random", "public" or "forest".
        encoder: "frozen" or "trainable"; "none" for the forest.
        shots: training light curves per class; 0 = all.
        seed: of the draw and of everything random in the training.
    """

    source: str
    encoder: str
    shots: int
    seed: int

    @property
    def name(self) -> str:
        """As a file name."""
        return f"{self.source}-{self.encoder}-{self.shots}-{self.seed}"

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Cell:
        """The cell of a result."""
        return cls(result["source"], result["encoder"], result["shots"], result["seed"])

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


class CellStore:
    """Keeps what is finished, so that the same command does not do it again.

    Args:
        folder: made when something is saved.
        fingerprint: of everything that decides on a result besides the cell; results of another
            fingerprint lie beside and are not touched.
    """

    def __init__(self, folder: Path, fingerprint: dict[str, Any]) -> None:
        text = json.dumps(fingerprint, sort_keys=True)
        self.folder = folder / hashlib.sha256(text.encode()).hexdigest()[:12]

    def load(self, cell: Cell) -> dict[str, Any] | None:
        """The result of a cell, None where it is not finished."""
        try:
            return json.loads(self._path(cell, "json").read_text())
        except (OSError, ValueError):
            return None

    def load_weights(self, cell: Cell) -> dict[str, np.ndarray] | None:
        """Its weights, None where they were not kept or are damaged."""
        try:
            return read_arrays(self._path(cell, "npz"))
        except DAMAGED:
            return None

    def save(
        self, cell: Cell, result: dict[str, Any], weights: dict[str, np.ndarray] | None = None
    ) -> None:
        """Writes a result, and the weights before it: a cell with a result is complete."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if weights is not None:
            with replace_file(self._path(cell, "npz")) as partial, partial.open("wb") as file:
                np.savez(file, **weights)  # type: ignore[arg-type]
        write_file(self._path(cell, "json"), json.dumps(result, indent=1) + "\n")

    def _path(self, cell: Cell, ending: str) -> Path:
        return self.folder / f"{cell.name}.{ending}"


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
        with replace_file(path) as partial, partial.open("wb") as file:
            np.savez(file, **features)  # type: ignore[arg-type]
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
