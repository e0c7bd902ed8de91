"""Inputs of the network, and the golden vectors of the public implementation."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(params=["astromer_v1", "astromer_v2"])
def architecture(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def golden(shared) -> dict[str, np.ndarray]:
    path = shared / "golden" / "astromer2_random.npz"
    if not path.exists():
        pytest.skip(f"needs {path}")
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture
def inputs(toy) -> SimpleNamespace:
    """times, magnitudes, visible, hidden, padding: [5, 20] each."""
    batch = toy.batch()
    return SimpleNamespace(
        times=batch.times,
        magnitudes=batch.magnitudes,
        visible=batch.probing.visible,
        hidden=batch.probing.hidden,
        observed=batch.probing.observed,
    )
