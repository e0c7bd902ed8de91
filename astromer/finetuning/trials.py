"""One trial of a study, and the files by which a study resumes: results, weights, embeddings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.encoder.pooling import CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.classifier_training import LabelledFeatures
from astromer.finetuning.labelled_data import Dataset
from astromer.system.atomic import replace_file, write_file
from astromer.system.untrusted_files import DAMAGED, read_arrays


@dataclass(frozen=True)
class Trial:
    """One training: a method, its shots and its seed.

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
    def of(cls, result: Mapping[str, Any]) -> Trial:
        """The trial of a result."""
        return cls(result["source"], result["encoder"], result["shots"], result["seed"])


class TrialStore:
    """Keeps finished trials, so that the same command does not repeat them.

    Args:
        folder: made when something is saved.
        fingerprint: of everything that decides on a result besides the trial; results of another
            fingerprint have a folder of their own.
    """

    def __init__(self, folder: Path, fingerprint: dict[str, Any]) -> None:
        text = json.dumps(fingerprint, sort_keys=True)
        self.folder = folder / hashlib.sha256(text.encode()).hexdigest()[:12]

    def load(self, trial: Trial) -> dict[str, Any] | None:
        """The result of a trial; None where it is not finished."""
        try:
            return json.loads(self._path(trial, "json").read_text())
        except (OSError, ValueError):
            return None

    def load_weights(self, trial: Trial) -> dict[str, np.ndarray] | None:
        """Its weights; None where they were not kept or are damaged."""
        try:
            return read_arrays(self._path(trial, "npz"))
        except DAMAGED:
            return None

    def save(
        self, trial: Trial, result: dict[str, Any], weights: dict[str, np.ndarray] | None = None
    ) -> None:
        """Writes a result, and the weights before it: a trial with a result is complete."""
        if weights is not None:
            _save_arrays(self._path(trial, "npz"), weights)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_file(self._path(trial, "json"), json.dumps(result, indent=1) + "\n")

    def _path(self, trial: Trial, ending: str) -> Path:
        return self.folder / f"{trial.name}.{ending}"


@dataclass(frozen=True)
class StudyFeatures:
    """Pooled embeddings of the light curves that a study needs.

    Attributes:
        dataset: the light curves.
        positions: int64 by split, rising: those that are embedded.
        features: float32 [num_positions, K, d_model] by split.
    """

    dataset: Dataset
    positions: Mapping[str, np.ndarray]
    features: Mapping[str, np.ndarray]

    def at(self, split: str, positions: np.ndarray) -> LabelledFeatures:
        """Features and classes of the light curves at some of the positions."""
        rows = np.searchsorted(self.positions[split], positions)
        return LabelledFeatures(self.features[split][rows], self.dataset.classes[split][positions])


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
) -> StudyFeatures:
    """Encodes light curves, or reads the features that an earlier call has saved.

    Args:
        model: the encoder.
        head: what the head reads; see :mod:`astromer.encoder.pooling`.
        dataset: the light curves.
        positions: int64 by split, rising: those to encode.
        folder: of the saved features.
        key: names the encoder; data, head and positions are added here.
        desc: of the progress bar.
        progress: whether to show it.
    """
    digest = hashlib.sha256(f"{key} {head} {dataset.fingerprint}".encode())
    for split, chosen in positions.items():
        digest.update(split.encode() + chosen.tobytes())
    path = folder / f"{digest.hexdigest()[:16]}.npz"
    features = _read_features(path, positions)
    if features is None:
        encode = CurveEncoder(model, head)
        features = {
            split: encode(
                dataset.curves[split].take(chosen), desc=f"{desc} {split}", progress=progress
            )
            for split, chosen in positions.items()
        }
        _save_arrays(path, features)
    return StudyFeatures(dataset, positions, features)


def _read_features(path: Path, positions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """The features in a file; None where there is none or it is damaged."""
    try:
        saved = read_arrays(path)
        features = {split: saved[split] for split in positions}
    except DAMAGED:
        return None
    fits = all(len(features[split]) == len(chosen) for split, chosen in positions.items())
    return features if fits else None


def _save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
