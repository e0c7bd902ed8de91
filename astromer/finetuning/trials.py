"""One trial of a study, and the files by which a study resumes: results, weights, embeddings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from astromer.encoder.pooling import CurveEncoder
from astromer.encoder.reconstructor import Reconstructor
from astromer.finetuning.classifier_training import LabelledFeatures
from astromer.finetuning.config import MLP
from astromer.finetuning.encoder_sources import PRETRAINED
from astromer.finetuning.labelled_data import Dataset
from astromer.periodogram.curve_periods import CurvePeriods, find_periods
from astromer.periodogram.lomb_scargle import PeriodogramConfig
from astromer.serving.curve_features import features_of
from astromer.system.atomic import replace_file, write_file
from astromer.system.untrusted_files import READ_ERRORS, read_arrays


@dataclass(frozen=True)
class Trial:
    """One training: a method, its shots and its seed.

    Attributes:
        source: "pretrained", "random", "public" or "forest".
        encoder: "frozen" or "trainable"; "none" for the forest.
        shots: training light curves per class; 0 = all.
        seed: of the draw and of everything random in the training.
        head: what reads the embedding, see :data:`astromer.finetuning.config.HEADS`; "forest" for
            the forest without an encoder.
    """

    source: str
    encoder: str
    shots: int
    seed: int
    head: str = MLP

    @property
    def name(self) -> str:
        """As a file name."""
        head = "" if self.head == MLP or self.encoder == "none" else f"-{self.head}"
        return f"{self.source}-{self.encoder}{head}-{self.shots}-{self.seed}"

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Trial:
        """The trial of a result."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: result[name] for name in names if name in result})


def best_trial(results: Sequence[Mapping[str, Any]]) -> Trial:
    """The pre-trained encoder with the most shots that does best on its validation draw."""
    candidates = [result for result in results if result["source"] == PRETRAINED]
    most = max((r["shots"] for r in candidates), key=lambda shots: shots or float("inf"))
    return Trial.of(best_on_validation([r for r in candidates if r["shots"] == most]))


def best_on_validation(results: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The result with the highest macro-F1 on its validation draw, then the lowest loss.

    The test split is not used: its scores would be biased.
    """
    return max(results, key=lambda r: (r["validation_macro_f1"], -r["validation_loss"]))


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
        except READ_ERRORS:
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
        search: what a period search says about them; None where nothing reads it.
    """

    dataset: Dataset
    positions: Mapping[str, np.ndarray]
    features: Mapping[str, np.ndarray]
    search: StudySearch | None

    def at(self, split: str, positions: np.ndarray, num_beside: int) -> LabelledFeatures:
        """What is known of the light curves at some of the positions, and their classes.

        Args:
            split: of the light curves.
            positions: int64 [n], some of :attr:`positions`.
            num_beside: features to give beside the embedding.
        """
        rows = np.searchsorted(self.positions[split], positions)
        beside = np.empty((len(positions), 0), np.float32)
        if self.search is not None:
            beside = self.search.features_at(split, positions)[:, :num_beside]
        classes = self.dataset.classes[split][positions]
        return LabelledFeatures(self.features[split][rows], classes, beside)


@dataclass(frozen=True)
class StudySearch:
    """Periods and features of the light curves that a study needs.

    Attributes:
        positions: int64 by split, rising: those that were searched.
        periods: of these, by split.
        features: float32 [num_positions, NUM_FEATURES] by split, see
            :func:`~astromer.serving.curve_features.curve_features`.
    """

    positions: Mapping[str, np.ndarray]
    periods: Mapping[str, CurvePeriods]
    features: Mapping[str, np.ndarray]

    def periods_at(self, split: str, positions: np.ndarray) -> CurvePeriods:
        """Those of the light curves at some of the positions."""
        return self.periods[split].take(np.searchsorted(self.positions[split], positions))

    def features_at(self, split: str, positions: np.ndarray) -> np.ndarray:
        """float32 [n, NUM_FEATURES], the same of the features."""
        return self.features[split][np.searchsorted(self.positions[split], positions)]


def search_dataset(
    dataset: Dataset,
    positions: Mapping[str, np.ndarray],
    folder: Path,
    periodogram: PeriodogramConfig,
    *,
    progress: bool = False,
) -> StudySearch:
    """Searches light curves for periods, or reads the periods that an earlier call has saved.

    Args:
        dataset: the light curves.
        positions: int64 by split, rising: those to search.
        folder: of the saved periods.
        periodogram: where frequencies are searched.
        progress: whether to show a bar.
    """
    key = "" if periodogram == PeriodogramConfig() else str(periodogram)
    path = folder / f"periods-{_digest(dataset, positions, key)}.npz"
    names = [field.name for field in fields(CurvePeriods)]
    wanted = {f"{split}/{name}": split for split in positions for name in names}
    saved = _read_arrays(path, {key: len(positions[split]) for key, split in wanted.items()})
    curves = {split: dataset.curves[split].take(chosen) for split, chosen in positions.items()}
    if saved is None:
        saved = {}
        for split, some in curves.items():
            found = find_periods(some, config=periodogram, progress=progress)
            saved |= {f"{split}/{name}": getattr(found, name) for name in names}
        _save_arrays(path, saved)
    periods = {
        split: CurvePeriods(*(saved[f"{split}/{name}"] for name in names)) for split in positions
    }
    features = {split: features_of(some, periods[split]) for split, some in curves.items()}
    return StudySearch(positions, periods, features)


def embed_dataset(
    model: Reconstructor,
    head: str,
    dataset: Dataset,
    positions: Mapping[str, np.ndarray],
    folder: Path,
    key: str,
    search: StudySearch | None = None,
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
        search: periods and features of these light curves and maybe of more.
        desc: of the progress bar.
        progress: whether to show it.
    """
    path = folder / f"{_digest(dataset, positions, f'{key} {head}')}.npz"
    features = _read_arrays(path, {split: len(chosen) for split, chosen in positions.items()})
    if features is None:
        encode = CurveEncoder(model, head)
        features = {
            split: encode(
                dataset.curves[split].take(chosen),
                search.periods_at(split, chosen) if search and model.encoder.folds else None,
                desc=f"{desc} {split}",
                progress=progress,
            )
            for split, chosen in positions.items()
        }
        _save_arrays(path, features)
    return StudyFeatures(dataset, positions, features, search)


def _digest(dataset: Dataset, positions: Mapping[str, np.ndarray], key: str) -> str:
    digest = hashlib.sha256(f"{key} {dataset.fingerprint}".encode())
    for split, chosen in positions.items():
        digest.update(split.encode() + chosen.tobytes())
    return digest.hexdigest()[:16]


def _read_arrays(path: Path, lengths: Mapping[str, int]) -> dict[str, np.ndarray] | None:
    """Arrays of these lengths in a file; None where there are none or it is damaged."""
    try:
        saved = read_arrays(path)
        arrays = {name: saved[name] for name in lengths}
    except READ_ERRORS:
        return None
    fits = all(len(arrays[name]) == length for name, length in lengths.items())
    return arrays if fits else None


def _save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
