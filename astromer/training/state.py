"""The full state of a training run, saved so that a kill at any moment loses little."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from astromer.encoder.config import EncoderConfig
from astromer.light_curves import LightCurves
from astromer.system.config import to_dict
from astromer.system.environment import library_releases
from astromer.system.errors import ModelError, UsageError, is_system_error
from astromer.system.storage import RemotePath, as_path
from astromer.system.untrusted_files import READ_ERRORS, read_arrays
from astromer.training.config import TrainingConfig
from astromer.windows.config import MaskingConfig

_PROGRESS, _HISTORY = "progress.json", "history"  # names in the file
_EPOCH = "epoch"  # in a row
_EARLIER_LIBRARIES = {"tensorflow": "2.16"}  # of releases that did not save them
# Settings that do not change what a step does.
_FREE_TO_CHANGE = (
    "epochs",
    "patience",
    "log_every",
    "checkpoint_seconds",
    "worker_seconds",
    "debug",
    "init",  # whose weights count, wherever they lie
    "init_sha256",
    "replicas",
    "windows_per_pass",
)


def run_fingerprint(
    encoder: EncoderConfig,
    masking: MaskingConfig,
    training: TrainingConfig,
    train: LightCurves,
    validation: LightCurves,
    initial: Sequence[np.ndarray] = (),
) -> str:
    """Names a run by its settings, data and given weights: sha256, as hexadecimal digits."""
    kept = {k: v for k, v in to_dict(training).items() if k not in _FREE_TO_CHANGE}
    if training.decay != "constant":
        kept["epochs"] = training.epochs  # the schedule depends on them
    digest = hashlib.sha256()
    digest.update(json.dumps([to_dict(encoder), to_dict(masking), kept], sort_keys=True).encode())
    for curves in (train, validation):
        for values in (curves.mjd, curves.mag, curves.errmag, curves.offsets):
            digest.update(np.ascontiguousarray(values).data)
    for values in initial:
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


class EpochHistory(Sequence[dict[str, float]]):
    """One row for each finished epoch: "epoch", from 0, and its metrics.

    All rows have the same metrics; NaN stands for those that an epoch did not measure. The values
    are in one array, since a run may have many short epochs.

    Args:
        rows: the first ones.
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()):
        self.metrics: tuple[str, ...] = ()
        self._values = array("d")
        for row in rows:
            self.append(row)

    @classmethod
    def from_values(cls, metrics: Iterable[str], values: np.ndarray) -> EpochHistory:
        """The history with these ``metrics`` and :meth:`values`, float64 [epochs, metrics].

        Raises:
            ValueError: the values have another type or shape.
        """
        history = cls()
        history.metrics = tuple(metrics)
        if (values.dtype, values.shape[1:]) != (np.float64, (len(history.metrics),)):
            raise ValueError(f"{values.dtype} {values.shape} for {len(history.metrics)} metrics")
        history._values.frombytes(values.tobytes())
        return history

    def values(self) -> np.ndarray:
        """float64 [epochs, metrics], a copy."""
        return np.array(self._values).reshape(-1, max(len(self.metrics), 1))[:, : len(self.metrics)]

    def append(self, row: Mapping[str, float]) -> None:
        """Adds the row of the next epoch."""
        new = [name for name in row if name != _EPOCH and name not in self.metrics]
        if new:  # the first row, or a run resumed by a release that measures more
            earlier = list(self)
            self.metrics, self._values = (*self.metrics, *new), array("d")
            for before in earlier:
                self.append(before)
        self._values.extend(row.get(name, float("nan")) for name in self.metrics)

    def __len__(self) -> int:
        return len(self._values) // len(self.metrics) if self.metrics else 0

    def __getitem__(self, index: Any) -> Any:
        epochs = range(len(self))[index]
        return self._row(epochs) if isinstance(epochs, int) else [self._row(e) for e in epochs]

    def _row(self, epoch: int) -> dict[str, float]:
        first = epoch * len(self.metrics)
        values = self._values[first : first + len(self.metrics)]
        return {_EPOCH: epoch, **dict(zip(self.metrics, values, strict=True))}


@dataclass
class Progress:
    """How far a training run is.

    Attributes:
        fingerprint: from :func:`run_fingerprint`.
        epoch: the current epoch, from 0.
        step: its finished steps.
        sums: float64 sums of its step sums so far.
        best: best validation hidden-step RMSE [mag] so far.
        best_epoch: the epoch that reached it, -1 before the first.
        waited: epochs since then.
        seconds: time spent in training, over all resumed parts.
        history: the metrics of each finished epoch.
        resumed: epoch and step at which each part but the first began.
        libraries: from :func:`library_releases`.
        kernels: what the last part was computed with, in words; "" in older releases.
    """

    fingerprint: str
    epoch: int = 0
    step: int = 0
    sums: list[float] = field(default_factory=list)
    best: float = float("inf")
    best_epoch: int = -1
    waited: int = 0
    seconds: float = 0.0
    history: EpochHistory = field(default_factory=EpochHistory)
    resumed: list[list[int]] = field(default_factory=list)
    libraries: dict[str, str] = field(default_factory=library_releases)
    kernels: str = ""

    def __str__(self) -> str:
        return f"epoch {self.epoch + 1}, step {self.step} of the run {self.fingerprint}"

    def arrays(self) -> dict[str, np.ndarray]:
        """All attributes as arrays by their names in the file."""
        facts = json.dumps(vars(self) | {_HISTORY: self.history.metrics})
        return {_PROGRESS: np.array(facts.encode()), _HISTORY: self.history.values()}

    @classmethod
    def take_from(cls, arrays: dict[str, np.ndarray]) -> Progress:
        """Takes what :meth:`arrays` returned out of ``arrays``.

        Raises:
            READ_ERRORS: an array is missing or malformed.
        """
        facts = json.loads(arrays.pop(_PROGRESS).item())  # bytes; str of older releases
        if _HISTORY in arrays:
            facts[_HISTORY] = EpochHistory.from_values(facts[_HISTORY], arrays.pop(_HISTORY))
        else:  # rows of older releases
            facts[_HISTORY] = EpochHistory(facts[_HISTORY])
        releases = facts.setdefault("libraries", _EARLIER_LIBRARIES)
        if not isinstance(releases, dict) or {type(v) for v in releases.values()} - {str}:
            raise ValueError("releases of libraries must be texts by name")
        return cls(**facts)


class StateFile:
    """Saves and restores progress and named groups of arrays in one file, atomically.

    Args:
        folder: made if missing. Holds ``state.npz`` and, except in a store, the state before it,
            ``state.earlier.npz``.

    Attributes:
        damaged: whether ``state.npz`` is damaged and the state before it was restored.
    """

    def __init__(self, folder: Path):
        self.folder = as_path(folder)
        self.path = self.folder / "state.npz"
        self.earlier = self.folder / "state.earlier.npz"
        self.damaged = False

    @property
    def source(self) -> Path:
        """The file that the state was restored from."""
        return self.earlier if self.damaged else self.path

    def save(self, progress: Progress, groups: dict[str, list[np.ndarray]]) -> None:
        """Writes everything to a new file, then replaces the old one by it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"{group}/{index}": array
            for group, members in groups.items()
            for index, array in enumerate(members)
        }
        arrays |= progress.arrays()
        partial = self.folder / ".state.partial"  # one name: a killed run's is overwritten
        with partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            if not isinstance(partial, RemotePath):  # a store keeps what it was given
                os.fsync(file.fileno())
        self._keep_earlier()
        partial.replace(self.path)
        self.damaged = False

    def _keep_earlier(self) -> None:
        """Links the state that is about to be replaced to a second name."""
        if self.damaged or isinstance(self.path, RemotePath) or not self.path.is_file():
            return
        link = self.folder / ".earlier.partial"
        with suppress(OSError):  # a file system without links keeps one state only
            link.unlink(missing_ok=True)
            os.link(self.path, link)
            link.replace(self.earlier)

    def restore(
        self, expected: str, shapes: dict[str, list[tuple[int, ...]]] | None = None
    ) -> tuple[Progress, dict[str, list[np.ndarray]]] | None:
        """The saved state, the one before it if that is damaged, or None if there is none.

        Args:
            expected: the fingerprint that it must have.
            shapes: of the arrays in each group; None accepts any.

        Raises:
            UsageError: it belongs to other settings, data or libraries.
            ModelError: the file is damaged, and the one before it is damaged or missing, too.
            OSError, MemoryError: the system failed to read it.
        """
        if not self.path.exists():
            return None
        try:
            return _read(self.path, expected, shapes)
        except ModelError as error:
            if not self.earlier.is_file():
                raise
            try:
                found = _read(self.earlier, expected, shapes)
            except (ModelError, UsageError):
                raise error from None
            self.damaged = True
            return found


def _read(
    path: Path, expected: str, shapes: dict[str, list[tuple[int, ...]]] | None
) -> tuple[Progress, dict[str, list[np.ndarray]]]:
    try:
        saved = read_arrays(path)
        progress = Progress.take_from(saved)
        groups: dict[str, list[np.ndarray]] = {}
        for name in sorted(saved, key=lambda name: int(name.rsplit("/", 1)[1])):
            groups.setdefault(name.rsplit("/", 1)[0], []).append(saved[name])
        received = {group: [a.shape for a in members] for group, members in groups.items()}
        if progress.fingerprint == expected and shapes not in (None, received):
            raise ValueError("arrays are missing or of another shape")
    except READ_ERRORS as error:
        if is_system_error(error):
            raise  # the file may be whole
        raise ModelError(
            f"A checkpoint must be readable. Received: {path}, which is damaged "
            f"({type(error).__name__}). Delete it to train from the start."
        ) from error
    if progress.fingerprint != expected:
        raise UsageError(
            f"A training run must keep the settings and data it began with. Received: {path}, "
            "which belongs to other ones. Choose another --output, or delete it to start anew."
        )
    _check_libraries(path, progress.libraries)
    return progress, groups


def _check_libraries(path: Path, began: Mapping[str, str]) -> None:
    here = library_releases()
    other = [name for name in here if began.get(name, here[name]) != here[name]]
    if other:
        theirs, ours = (
            " and ".join(f"{name} {releases[name]}" for name in other) for releases in (began, here)
        )
        raise UsageError(
            "A training run must be resumed with the libraries it began with: others round "
            f"otherwise. Received: {path}, of {theirs}, where {ours} is installed. Resume it where "
            "those are, choose another --output, or delete it to start anew."
        )
