"""A short, fixed part of what `make fuzz` does: seeds, and inputs near them, for every target."""

from __future__ import annotations

import shutil
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from tools.fuzzing.targets import NAMES, load_target

# A model call, a TensorFlow dataset or a conversion takes a tenth of a second.
SLOW = {"record": 6, "framing": 6, "survey": 6, "model": 2, "signatures": 2, "checkpoint": 8}
EXAMPLES = 20


@st.composite
def near(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with some bytes changed, put in or taken out, or any bytes."""
    content = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(content)))
        taken = draw(st.integers(0, 3))
        content[place : place + taken] = draw(st.binary(max_size=4))
    return bytes(content)


@pytest.mark.parametrize("name", NAMES)
def test_the_property_of_a_target_holds(name: str, tmp_path: Path) -> None:
    target = load_target(name)
    seeds = list(target.seeds())
    folder = tmp_path / "files"

    def check(data: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        target.check(data, folder)

    for seed in seeds:
        check(seed)

    @hypothesis.settings(
        max_examples=SLOW.get(name, EXAMPLES),
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(near(seeds) | st.binary(max_size=120))
    def inputs(data: bytes) -> None:
        check(data)

    inputs()
