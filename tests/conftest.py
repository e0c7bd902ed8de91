"""What many tests share: small light curves, models and programs in a process of their own."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest

from astromer.light_curves import LightCurve, LightCurves
from astromer.system.logs import silence
from astromer.system.parallel import KERNELS
from astromer.system.storage import RemotePath, remote, remove_tree
from astromer.windows.batches import Batch, assemble, sequential_windows
from astromer.windows.config import MaskingConfig
from astromer.windows.masking import draw
from tests.ram_store import RamFileSystem
from tests.scheduling import ByUnit, marks, rank, use_one_thread_each

os.environ.pop("MAKEFLAGS", None)  # ARGS of `make test` are not for the targets that tests make
os.environ.setdefault(KERNELS, "0")  # what is faster here would round otherwise elsewhere
silence()
use_one_thread_each()
# Other work on the machine makes any single example slow now and then.
hypothesis.settings.register_profile("calm", deadline=None, max_examples=60, database=None)
hypothesis.settings.load_profile("calm")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
OFFLINE = r"error sending request|dns error|Connection refused|Temporary failure in name"
"""How uv says that the package index cannot be reached."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> ByUnit:
    """Of ``make test``, which runs three processes."""
    return ByUnit(config, log)


@pytest.hookimpl(tryfirst=True)  # before marks choose
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks tests by their place; where there are several processes, the longest come first."""
    for item in items:
        for mark in marks(item.nodeid):
            item.add_marker(mark)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: rank(item.nodeid))


def pytest_collection_finish() -> None:
    """The garbage collector need not look at all that was imported, again and again.

    Nor at every graph that a test makes: it took a twentieth of the time.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)


def make_curves(lengths: list[int] | tuple[int, ...], seed: int = 0) -> LightCurves:
    """Sinusoids with noise at irregular times near MJD 59000, errors of 0.01 to 0.1 mag."""
    rng = np.random.default_rng(seed)
    curves = []
    for number, length in enumerate(lengths):
        mjd = 59000 + np.sort(rng.uniform(0, 300, length))
        period, amplitude = rng.uniform(2, 50), rng.uniform(0.2, 1.0)
        mag = 12 + 4 * rng.random() + amplitude * np.sin(2 * np.pi * mjd / period)
        curves.append(
            LightCurve(
                mjd=mjd,
                mag=(mag + rng.normal(0, 0.02, length)).astype(np.float32),
                errmag=rng.uniform(0.01, 0.1, length).astype(np.float32),
                id=f"star-{number}",
                label=number % 2,
                class_name=("RRL", "LPV")[number % 2],
            )
        )
    return LightCurves.from_curves(curves)


def make_batch(
    lengths: list[int] | tuple[int, ...] = (20, 20, 7, 13, 5),
    window_size: int = 20,
    masking: MaskingConfig = MaskingConfig(),
    seed: int = 0,
    normalise: bool = False,
) -> Batch:
    """One batch of all windows of ``make_curves``."""
    curves = make_curves(lengths, seed)
    windows = sequential_windows(curves.offsets, window_size)
    probing = draw(windows.length, window_size, masking, seed=[seed], first=0)
    return assemble(curves, windows, probing, normalise=normalise)


def make_model(architecture: str = "astromer_v2", *, seed: int = 1, **settings):
    """A tiny model; every weight is moved off its initial zero, so that each of them counts."""
    from astromer.encoder.config import EncoderConfig
    from astromer.encoder.reconstructor import Reconstructor

    normalise = settings.pop("normalise", False)
    small = {"d_model": 8, "num_heads": 2, "num_layers": 2, "ffn_dim": 12, "window_size": 20}
    model = Reconstructor.from_settings(
        EncoderConfig(architecture, **{**small, **settings}), normalise=normalise, seed=seed
    )
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        variable.assign_add(rng.normal(0, 0.1, variable.shape))
    return model


def run_python(
    *arguments: str, timeout: float = 300, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs Python in the repository, as a user would."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    """The functions above; test modules are not importable from each other."""
    return SimpleNamespace(
        curves=make_curves, batch=make_batch, model=make_model, python=run_python, root=ROOT
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the repository, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("needs the reference data in ../shared")
    return SHARED


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemotePath]:
    """An empty folder of its own in ``ram://``, which every part of TensorFlow takes for a store.

    It is in this process's memory: programs must be run inside it, by their ``main``.
    """
    system = RamFileSystem()
    monkeypatch.setattr(remote, "_file_system", lambda: system)
    folder = RemotePath(f"ram://store-{uuid.uuid4().hex[:8]}")
    folder.mkdir()
    yield folder
    with contextlib.suppress(OSError):  # it ends with the process
        remove_tree(folder)
