"""Class names, the survey's numbers for them, and the classifier's indices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from astromer.light_curves import LightCurves
from astromer.system.errors import DataAnomalyError
from astromer.system.text import shortened

UNLABELLED = -1


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
        known = class_names(curves)
        names = sorted(set(known.tolist()) - {""}, key=_natural)
        if not names:
            raise DataAnomalyError(
                "Classification needs labelled light curves. Received "
                f"{len(curves)} without a class: their records have neither of the context "
                "features Class (bytes_list) and Label (int64_list). Add columns Class and Label "
                "to metadata.parquet and make the records again, or use --task reconstruct."
            )
        if len(names) == 1:
            raise DataAnomalyError(
                "Classification needs two classes or more. Received one in train: "
                f"{shortened(names[0])}."
            )
        numbers = [set(curves.labels[known == name].tolist()) for name in names]
        labels = [min(found) for found in numbers]
        # Surveys that were joined count their classes each in its own way.
        one_each = all(len(found) == 1 for found in numbers) and len(set(labels)) == len(labels)
        if not one_each or -1 in labels:
            labels = list(range(len(names)))
        return cls(tuple(names), tuple(labels))

    def indices(self, curves: LightCurves) -> np.ndarray:
        """int64 [num_curves], the index of each curve's class; -1 for unlabelled or unknown."""
        index = {name: number for number, name in enumerate(self.names)}
        names = class_names(curves).tolist()
        return np.array([index.get(name, UNLABELLED) for name in names], np.int64)

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        rows = zip(self.names, self.labels)
        return {
            "classes": [{"index": i, "name": n, "label": v} for i, (n, v) in enumerate(rows)],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> LabelMap:
        """What :meth:`to_dict` wrote."""
        rows = sorted(content["classes"], key=lambda row: row["index"])
        return cls(tuple(row["name"] for row in rows), tuple(row["label"] for row in rows))


def class_names(curves: LightCurves) -> np.ndarray:
    """str [num_curves]: the class name, else the label as text, else ""."""
    if (curves.class_names != "").any():
        return curves.class_names
    return np.array([str(label) if label >= 0 else "" for label in curves.labels], dtype=np.str_)


def _natural(name: str) -> tuple[int, int, str]:
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)
