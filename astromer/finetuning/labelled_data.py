"""Labelled light curves by split: classes, draws, class weights and scores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from astromer.light_curves import LightCurves
from astromer.periodogram.curve_periods import CurvePeriods
from astromer.records.fold import SPLITS
from astromer.system.errors import DataAnomalyError
from astromer.system.text import shortened

_UNLABELLED = -1


@dataclass(frozen=True)
class LabelledCurves:
    """Light curves and the index of the class of each, int64 [num_curves].

    Their periods, found in all observations, where something reads them; found there by default.
    """

    curves: LightCurves
    classes: np.ndarray
    periods: CurvePeriods | None = None


def divide_labelled(
    curves: Mapping[str, LightCurves], labels: Mapping[str, str], seed: int
) -> dict[str, LightCurves]:
    """Light curves that were labelled by hand, divided anew, whatever split they were in.

    Args:
        curves: by split.
        labels: class by id; ids that there are not are passed over.
        seed: of the division: a fifth of each class, one at least, for validation and for test.

    Returns:
        By split. Classes of fewer than three light curves are left out.

    Raises:
        DataAnomalyError: fewer than two classes are left.
    """
    pooled = LightCurves.concatenate([curves[split] for split in SPLITS])
    names = np.array([labels.get(name, "") for name in pooled.ids.tolist()], np.str_)
    found, totals = np.unique(names[names != ""], return_counts=True)
    classes = found[totals >= len(SPLITS)].tolist()
    if len(classes) < 2:
        raise DataAnomalyError(
            "Labels by hand must be of two classes or more, with three light curves of the fold in "
            f"each. Received: {dict(zip(found.tolist(), totals.tolist())) or 'none'}. Label more."
        )
    rng = np.random.default_rng(seed)
    rows: dict[str, list[np.ndarray]] = {split: [] for split in SPLITS}
    for name in classes:
        members = rng.permutation(np.flatnonzero(names == name))
        fifth = max(1, round(len(members) / 5))
        parts = np.split(members, [len(members) - 2 * fifth, len(members) - fifth])
        for split, part in zip(SPLITS, parts):
            rows[split].append(part)
    divided = {}
    for split in SPLITS:
        chosen = np.sort(np.concatenate(rows[split]))
        indices = np.array([classes.index(name) for name in names[chosen].tolist()], np.int64)
        divided[split] = replace(pooled.take(chosen), class_names=names[chosen], labels=indices)
    return divided


@dataclass(frozen=True)
class Dataset:
    """The labelled light curves of a fold.

    Attributes:
        curves: by split: train, validation and test.
        classes: int64 [num_curves] by split, indices into the label map.
        label_map: the classes of the training split.
        notes: sentences about the data, for users.
    """

    curves: Mapping[str, LightCurves]
    classes: Mapping[str, np.ndarray]
    label_map: LabelMap
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, curves: Mapping[str, LightCurves], min_test_curves: int = 0) -> Dataset:
        """Leaves out light curves without a class that is in train; the notes count them.

        Args:
            curves: by split.
            min_test_curves: classes with fewer light curves in test are left out, too.

        Raises:
            DataAnomalyError: there are no labels, or none are left of a split.
        """
        label_map = LabelMap.of(curves["train"])
        notes = []
        if min_test_curves:
            counts = np.bincount(
                label_map.indices(curves["test"]) + 1, minlength=len(label_map) + 1
            )
            rare = [n for n, count in zip(label_map.names, counts[1:]) if count < min_test_curves]
            if rare:
                notes.append(
                    f"{', '.join(map(shortened, rare))} are left out: test has fewer than "
                    f"{min_test_curves} of each"
                )
                curves = {split: _without(some, rare) for split, some in curves.items()}
                label_map = LabelMap.of(curves["train"])
        kept: dict[str, LightCurves] = {}
        classes: dict[str, np.ndarray] = {}
        for split in SPLITS:
            names, indices = _class_names(curves[split]), label_map.indices(curves[split])
            if without := int((names == "").sum()):
                notes.append(f"{without} light curves of {split} have no class")
            unknown = (indices == _UNLABELLED) & (names != "")
            if unknown.any():
                absent = sorted(set(names[unknown].tolist()))[:10]
                notes.append(
                    f"{int(unknown.sum())} light curves of {split} are left out: train has none of "
                    f"their class ({', '.join(map(shortened, absent))})"
                )
            labelled = np.flatnonzero(indices != _UNLABELLED)
            kept[split], classes[split] = curves[split].take(labelled), indices[labelled]
            if not len(labelled):
                raise DataAnomalyError(
                    f"Every split must have light curves of a class that is in train. {split} has "
                    "none: its records have neither of the context features Class and Label, or "
                    "other classes. Divide the survey again (it is stratified by class)."
                )
        absent = [shortened(n) for i, n in enumerate(label_map.names) if i not in classes["test"]]
        if absent:
            notes.append(f"test has no {', '.join(absent)}: the macro-F1 is over the other classes")
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
        """int64, positions of a draw by :func:`draw_shots`; the test split is always whole."""
        if split == "test":
            return np.arange(len(self.curves[split]))
        return draw_shots(self.classes[split], shots, [seed, SPLITS.index(split)])

    def labelled(self, split: str, positions: np.ndarray) -> LabelledCurves:
        """Some light curves of a split."""
        return LabelledCurves(self.curves[split].take(positions), self.classes[split][positions])

    def scarce(self, shots: int) -> dict[str, int]:
        """Classes with fewer training light curves than ``shots``, and how many they have."""
        counts = np.bincount(self.classes["train"], minlength=len(self.label_map))
        pairs = zip(self.label_map.names, counts.tolist())
        return {name: count for name, count in pairs if count < shots}


@dataclass(frozen=True)
class LabelMap:
    """The classes that a classifier knows, in the order of its outputs.

    Attributes:
        names: class names, sorted.
        labels: the survey's number (``Label``) of each class; its index where there is none, or
            several.
    """

    names: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(cls, curves: LightCurves) -> LabelMap:
        """The classes of some light curves, normally those to train on.

        Raises:
            DataAnomalyError: there are fewer than two classes.
        """
        known = _class_names(curves)
        names = sorted(set(known.tolist()) - {""}, key=_natural)
        if not names:
            raise DataAnomalyError(
                f"Classification needs labelled light curves. Received {len(curves)} without a "
                "class: their records have neither of the context features Class (bytes_list) and "
                "Label (int64_list). Add columns Class and Label to metadata.parquet and make the "
                "records again, or use --task reconstruct."
            )
        if len(names) == 1:
            raise DataAnomalyError(
                "Classification needs two classes or more. Received one in train: "
                f"{shortened(names[0])}."
            )
        numbers = [set(curves.labels[known == name].tolist()) for name in names]
        labels = [min(found) for found in numbers]
        # Each of several joined surveys numbers its classes in its own way.
        one_each = all(len(found) == 1 for found in numbers) and len(set(labels)) == len(labels)
        if not one_each or -1 in labels:
            labels = list(range(len(names)))
        return cls(tuple(names), tuple(labels))

    def indices(self, curves: LightCurves) -> np.ndarray:
        """int64 [num_curves], the index of each curve's class; -1 for unlabelled or unknown."""
        index = {name: number for number, name in enumerate(self.names)}
        names = _class_names(curves).tolist()
        return np.array([index.get(name, _UNLABELLED) for name in names], np.int64)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        rows = enumerate(zip(self.names, self.labels))
        return {"classes": [{"index": i, "name": n, "label": v} for i, (n, v) in rows]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> LabelMap:
        """Reads what :meth:`to_dict` wrote."""
        rows = sorted(content["classes"], key=lambda row: row["index"])
        return cls(tuple(row["name"] for row in rows), tuple(row["label"] for row in rows))


def draw_shots(classes: np.ndarray, shots: int, seed: Sequence[int]) -> np.ndarray:
    """Draws the same number of light curves of each class, all of a class with fewer.

    A smaller draw of one seed is part of a larger one, so that more shots only add light curves.

    Args:
        classes: int64 [num_curves].
        shots: light curves per class; 0 = all.
        seed: of the draw.

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

    Equal classes get equal weights. Rare classes weigh more, but a class of four light curves
    does not weigh as much as one of five hundred.
    """
    weights = 1 / np.sqrt(np.maximum(np.bincount(classes), 1))[classes]
    return (weights / weights.mean()).astype(np.float32)


def classification_scores(
    true: np.ndarray, predicted: np.ndarray, label_map: LabelMap
) -> dict[str, Any]:
    """Accuracy, macro-F1, the confusion matrix and the scores of each class.

    Args:
        true, predicted: int64 [num_curves], indices of classes.
        label_map: the classes.

    Returns:
        JSON-able: "accuracy"; "macro_f1", over the classes that occur in ``true``;
        "confusion", counts with a row for each true class; "classes", for each name its
        "precision", "recall", "f1" and "support".
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    index = np.arange(len(label_map))
    columns = precision_recall_fscore_support(true, predicted, labels=index, zero_division=0)
    precision, recall, f1, support = columns
    classes = {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i, name in enumerate(label_map.names)
    }
    return {
        "accuracy": float(np.mean(true == predicted)),
        "macro_f1": float(np.mean(f1[support > 0])),
        "confusion": confusion_matrix(true, predicted, labels=index).tolist(),
        "classes": classes,
    }


def _without(curves: LightCurves, names: Sequence[str]) -> LightCurves:
    """The light curves of all other classes."""
    return curves.take(np.flatnonzero(~np.isin(_class_names(curves), list(names))))


def _class_names(curves: LightCurves) -> np.ndarray:
    """str [num_curves]: the class name, else the label as text, else ""."""
    if (curves.class_names != "").any():
        return curves.class_names
    return np.array([str(label) if label >= 0 else "" for label in curves.labels], dtype=np.str_)


def _natural(name: str) -> tuple[int, int, str]:
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)
