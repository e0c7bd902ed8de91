"""Labelled light curves by split, and the small draws that classifiers are trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from astromer.finetuning.label_map import UNLABELLED, LabelMap, class_names
from astromer.light_curves import LightCurves
from astromer.records.fold import SPLITS
from astromer.system.errors import DataAnomalyError
from astromer.system.text import shortened


@dataclass(frozen=True)
class Dataset:
    """The labelled light curves of a fold.

    Attributes:
        curves: by split: train, validation and test.
        classes: int64 [num_curves] by split, indices into the label map.
        label_map: the classes of the training split.
        notes: what a user should know about the data, in sentences.
    """

    curves: Mapping[str, LightCurves]
    classes: Mapping[str, np.ndarray]
    label_map: LabelMap
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, curves: Mapping[str, LightCurves]) -> Dataset:
        """Leaves out light curves without a class that is in train, and says how many.

        Raises:
            DataAnomalyError: there are no labels, or none are left of a split.
        """
        label_map = LabelMap.of(curves["train"])
        kept: dict[str, LightCurves] = {}
        classes: dict[str, np.ndarray] = {}
        notes = []
        for split in SPLITS:
            names, indices = class_names(curves[split]), label_map.indices(curves[split])
            without = int((names == "").sum())
            if without:
                notes.append(f"{without} light curves of {split} have no class")
            unknown = (indices == UNLABELLED) & (names != "")
            if unknown.any():
                absent = sorted(set(names[unknown].tolist()))[:10]
                notes.append(
                    f"{int(unknown.sum())} light curves of {split} are left out: train has none of "
                    f"their class ({', '.join(map(shortened, absent))})"
                )
            labelled = np.flatnonzero(indices != UNLABELLED)
            kept[split], classes[split] = curves[split].take(labelled), indices[labelled]
            if not len(labelled):
                raise DataAnomalyError(
                    f"Every split must have light curves of a class that is in train. {split} has "
                    "none: its records have neither of the context features Class and Label, or "
                    "other classes. Divide the survey again (it is stratified by class)."
                )
            absent = [
                shortened(n) for i, n in enumerate(label_map.names) if i not in classes[split]
            ]
            if absent and split == "test":
                notes.append(
                    f"test has no {', '.join(absent)}: the macro-F1 is over the other classes"
                )
        return cls(kept, classes, label_map, tuple(notes))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of light curves and classes, as hexadecimal digits."""
        digest = hashlib.sha256("\n".join(self.label_map.names).encode())
        for split in SPLITS:
            curves = self.curves[split]
            digest.update(split.encode())
            for array in (curves.mjd, curves.mag, curves.errmag, curves.offsets):
                digest.update(np.ascontiguousarray(array).data)
            digest.update(self.classes[split].data)
        return digest.hexdigest()

    def draw(self, split: str, shots: int, seed: int) -> np.ndarray:
        """Positions of a stratified draw; see :func:`draw_shots`."""
        return draw_shots(self.classes[split], shots, [seed, SPLITS.index(split)])

    def scarce(self, shots: int) -> dict[str, int]:
        """Classes with fewer training light curves than asked for, and how many they have."""
        counts = np.bincount(self.classes["train"], minlength=len(self.label_map))
        pairs = zip(self.label_map.names, counts.tolist())
        return {name: count for name, count in pairs if count < shots}


def draw_shots(classes: np.ndarray, shots: int, seed: Sequence[int]) -> np.ndarray:
    """Draws the same number of light curves of each class, all of a class with fewer.

    A smaller draw of one seed is part of a larger one, so that more shots only add light curves.

    Args:
        classes: int64 [num_curves].
        shots: light curves per class; 0 = all.
        seed: what the draw depends on.

    Returns:
        int64, positions in rising order.
    """
    chosen = []
    for index in np.unique(classes):
        members = np.flatnonzero(classes == index)
        order = np.random.default_rng([*seed, int(index)]).permutation(len(members))
        chosen.append(members[order[: shots or None]])
    return np.sort(np.concatenate(chosen))


def class_weights(classes: np.ndarray) -> np.ndarray:
    """float32 [num_curves], the weight of each light curve: 1 / sqrt(size of its class); mean 1.

    Where all classes are equally large this changes nothing. Elsewhere it lifts the rare ones, but
    not so far that a class of four light curves decides as much as one of five hundred.
    """
    weights = 1 / np.sqrt(np.maximum(np.bincount(classes), 1))[classes]
    return (weights / weights.mean()).astype(np.float32)
