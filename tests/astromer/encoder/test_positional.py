from __future__ import annotations

import math

import numpy as np
import pytest

from astromer.encoder.positional import positional_encoding

TIMES = np.array([[-300.25, -1.5, 0.0], [0.001, 7.0, 812.5]], np.float32)


def by_formula(time: float, d_model: int, base: float) -> list[float]:
    angles = [time * base ** (-2 * i / d_model) for i in range(d_model)]
    return [math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(angles)]


@pytest.mark.parametrize("d_model", [1, 2, 7, 8, 256])
@pytest.mark.parametrize("base", [10000.0, 1000.0, 2.0])
def test_formula(d_model: int, base: float) -> None:
    got = positional_encoding(TIMES, d_model, base).numpy()
    expected = [[by_formula(float(t), d_model, base) for t in row] for row in TIMES]
    assert got.shape == (2, 3, d_model)
    assert got.dtype == np.float32
    # An angle of 800 in float32 is known to 3e-5.
    assert got == pytest.approx(np.array(expected), abs=1e-4)


def test_base_matters() -> None:
    one, other = (positional_encoding(TIMES, 8, base).numpy() for base in (1000.0, 10000.0))
    assert np.abs(one - other).max() > 0.1


def test_golden(golden: dict[str, np.ndarray]) -> None:
    got = positional_encoding(golden["x_times"][..., 0], 256, 10000.0).numpy()
    assert got[:, golden["z_steps"]] == pytest.approx(golden["K_pe"], abs=1e-4)
