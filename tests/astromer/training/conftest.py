"""A training run small enough to be repeated often, here or in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from astromer.encoder.config import EncoderConfig
from astromer.light_curves import LightCurves
from astromer.training.config import TensorBoardConfig, TrainingConfig
from astromer.windows.config import MaskingConfig

WORKER = Path(__file__).with_name("worker.py")
ENCODER = EncoderConfig("astromer_v2", 8, 2, 1, ffn_dim=12, window_size=20)
# 10 windows: two full batches and a short one.
TRAIN_LENGTHS, VALIDATION_LENGTHS = (30, 20, 50, 7, 45), (20, 33, 8)


class SmallRun:
    """Settings and data of a run, and the ways to start it."""

    def __init__(self, toy: SimpleNamespace, encoder: EncoderConfig = ENCODER):
        self.toy, self.encoder = toy, encoder
        self.train: LightCurves = toy.curves(TRAIN_LENGTHS, 0)
        self.validation: LightCurves = toy.curves(VALIDATION_LENGTHS, 1)

    def settings(
        self, folder: Path, tensorboard: TensorBoardConfig = TensorBoardConfig(), **training: Any
    ) -> dict[str, Any]:
        """Keyword arguments of ``train``."""
        chosen = {"epochs": 3, "batch_size": 4, "learning_rate": 0.01, "checkpoint_seconds": 0.0}
        return {
            "encoder": self.encoder,
            "masking": MaskingConfig(),
            "training": TrainingConfig(**{**chosen, **training}),
            "checkpoint_dir": folder / "checkpoints",
            "log_dir": folder / "logs",
            "tensorboard": tensorboard,
        }

    def __call__(self, folder: Path, **training: Any):
        """Runs here."""
        from astromer.training.loop import train

        return train(self.train, self.validation, **self.settings(folder, **training))

    def start(
        self,
        jobs: dict[Path, dict[str, Any]],
        env: dict[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        """Runs in a process of its own, for each folder with changes of the training knobs.

        worker.py writes ``result.npz`` into the folder of each run.
        """
        descriptions = []
        for folder, training in jobs.items():
            settings = self.settings(folder, **training)
            folder.mkdir(exist_ok=True)
            descriptions.append(
                {
                    **{name: asdict(settings[name]) for name in ("encoder", "masking", "training")},
                    **{name: str(settings[name]) for name in ("checkpoint_dir", "log_dir")},
                    "output": str(folder / "result.npz"),
                }
            )
        curves = next(iter(jobs)) / "curves.npz"
        np.savez(
            curves,
            **{
                f"{split}/{name}": value
                for split, packed in (("train", self.train), ("validation", self.validation))
                for name, value in vars(packed).items()
            },
        )
        return subprocess.Popen(
            [*prefix, sys.executable, str(WORKER), str(curves), json.dumps(descriptions)],
            cwd=self.toy.root,
            env={**os.environ, "PYTHONPATH": str(self.toy.root), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stop_when(
        self, process: subprocess.Popen[str], ready: Callable[[], bool], number: signal.Signals
    ) -> tuple[int, str]:
        """Sends a signal as soon as ``ready()``; returns exit code and stderr."""
        deadline = time.monotonic() + 120
        while not ready():
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        return process.returncode, err


def weights(model) -> list[np.ndarray]:
    return [np.asarray(v) for v in model.variables]


def same_bits(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return [a.tobytes() for a in one] == [b.tobytes() for b in other]


@pytest.fixture(scope="session")
def small_run(toy) -> SmallRun:
    return SmallRun(toy)


@pytest.fixture(scope="session")
def phase_run(toy) -> SmallRun:
    return SmallRun(toy, EncoderConfig("astromer_phase", 8, 2, 1, ffn_dim=12, window_size=20))


@pytest.fixture(scope="session")
def bits() -> SimpleNamespace:
    return SimpleNamespace(of=weights, same=same_bits)


@pytest.fixture(scope="session")
def uninterrupted(small_run: SmallRun, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The small run, done in one go: its folder, result and weights."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    result = small_run(folder)
    return SimpleNamespace(folder=folder, result=result, weights=weights(result.model))
