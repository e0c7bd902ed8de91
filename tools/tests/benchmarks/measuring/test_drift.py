from __future__ import annotations

import numpy as np
import pytest

from tools.benchmarks.measuring.drift import HEAD, drift, line


@pytest.fixture
def noise() -> np.ndarray:
    """Neighbours resemble each other, as looks at one process do."""
    steps = np.random.default_rng(5).normal(size=1200)
    return np.convolve(steps, np.ones(20) / 20, "same")


def test_a_slope_is_found_again(noise):
    at = np.arange(1200) / 600
    found = drift(at, 800 + 7 * at + noise)
    assert found.slope == pytest.approx(7, abs=1)
    assert not found.is_flat
    assert line("memory", found).endswith("grows")
    assert line("memory", drift(at, 800 - 7 * at + noise)).endswith("shrinks")


def test_noise_is_flat(noise):
    at = np.arange(1200) / 600
    found = drift(at, 800 + noise)
    assert found.is_flat
    assert found.low < 0 < found.high
    assert line("memory", found).endswith("flat")


def test_a_constant_is_flat():
    found = drift(range(100), [18] * 100)
    assert (found.first, found.last, found.slope, found.is_flat) == (18, 18, 0, True)


def test_a_step_at_one_end_does_not_make_a_slope():
    found = drift(range(120), [15.0] * 119 + [900.0])
    assert found.is_flat
    assert found.last == 15


def test_the_row_stands_below_its_head(noise):
    row = line("memory [MiB/hour]", drift(range(1200), noise))
    assert HEAD.index("first") + len("first") == 28 + 10
    assert row.startswith("memory [MiB/hour]")


@pytest.mark.parametrize(("count", "blocks"), [(2, 3), (100, 2)])
def test_too_few_measurements_are_refused(count, blocks):
    with pytest.raises(ValueError, match=f"{count} measurements, {blocks} blocks"):
        drift(range(count), range(count), blocks)
