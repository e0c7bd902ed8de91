"""What a run has made, such that two runs can be compared bit by bit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from astromer.serving.saved_model import EXTRA
from astromer.serving.versions.folder import newest

_CIRCUMSTANCES = ("seconds",)


@dataclass(frozen=True)
class Outcome:
    """A pushed model.

    Attributes:
        weights: SHA-256 of its variables.
        history: the metrics of each epoch, without times.
        scores: of the Evaluator.
    """

    weights: str
    history: list[dict[str, float]]
    scores: dict[str, Any]

    def differences(self, other: Outcome) -> list[str]:
        """Names of what is not the same."""
        return [
            name
            for name in ("weights", "history", "scores")
            if getattr(self, name) != getattr(other, name)
        ]


def read_outcome(output: Path, serving: Path) -> Outcome:
    """That of the newest version, and of the newest evaluation.

    Raises:
        OSError, ValueError, KeyError: something of it is not there or not readable.
    """
    version = newest(serving)
    if version is None:
        raise FileNotFoundError(f"no version in {serving}")
    evaluations = (output / "pipeline" / "Evaluator" / "evaluation").iterdir()
    latest = max(evaluations, key=lambda folder: int(folder.name))
    return Outcome(
        _digest(version / EXTRA / "weights.npz"),
        [
            {name: value for name, value in row.items() if name not in _CIRCUMSTANCES}
            for row in read_course(version)["history"]
        ],
        json.loads((latest / "metrics.json").read_text(encoding="utf-8")),
    )


def read_course(version: Path) -> dict[str, Any]:
    """How the training of a version went: ``history``, and ``resumed``, where it went on."""
    config = json.loads((version / EXTRA / "config.json").read_text(encoding="utf-8"))
    return config["metadata"]["course"]


def _digest(file: Path) -> str:
    found = hashlib.sha256()
    with np.load(file) as arrays:
        for name in sorted(arrays.files):
            array = arrays[name]
            found.update(f"{name} {array.dtype} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
