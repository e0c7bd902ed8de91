"""Every code block of the documents does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import tomli
import yaml

from tests.docs.commands import commands_in
from tests.docs.pages import BLOCKS, NAMES, ROOT, RUN, SHOWN, Block
from tests.docs.place import Done, Place
from tests.docs.small import CHANGES
from tests.docs.surroundings import Surroundings, surroundings

README = "README.md"
NEEDS_REFERENCE_DATA = "macho_a0.zip"
"""The public weights, which the reader gets elsewhere and this repository has beside it."""


@pytest.fixture(scope="module")
def after_readme(place: Place) -> Place:
    """The place after the README: with records and a pushed model, which other pages use."""
    run_page(place, README, Surroundings())
    return place


def run_page(place: Place, page: str, around: Surroundings) -> list[str]:
    """Runs a page from top to bottom; returns the blocks that lack their data."""
    lacking, done = [], Done(0, "")
    for block in BLOCKS:
        if block.page != page:
            continue
        if block.is_output:
            assert_shown(block, done)
        if block.language not in RUN or block.run_by:
            continue
        if NEEDS_REFERENCE_DATA in block.text and not place.has_reference_data:
            lacking.append(str(block))
            continue
        done = place.run(block, around)
        assert done.code == 0, f"{block} ended with {done.code}:\n{block.text}\n{done.output}"
        assert "Traceback" not in done.output, f"{block}:\n{done.output}"
    return lacking


def assert_shown(block: Block, done: Done) -> None:
    """Every line of the block was printed, but for its numbers; ``...`` stands for others."""
    printed = [without_numbers(line) for line in done.output.replace("\r", "\n").splitlines()]
    for line in block.text.splitlines():
        if line.strip() != "...":
            assert without_numbers(line) in printed, f"{block} shows {line!r}:\n{done.output}"


def without_numbers(line: str) -> str:
    """The words of a line; fingerprints are numbers, too, and one of a thing is like many."""
    words = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b|-?\d[\d.,e+-]*", "#", line)
    words = re.sub(r"# (?:h|min|s)\b(?: # (?:min|s)\b)*", "# s", words)
    return " ".join(re.sub(r"# (\w+?)s\b", r"# \1", words).split())


def test_readme(after_readme):
    served = after_readme.folder / "outputs" / "serving" / "astromer"
    assert list(served.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("page", [name for name in NAMES if name != README])
def test_page(page, after_readme, tmp_path):
    with surroundings(page, tmp_path) as around:
        lacking = run_page(after_readme, page, around)
    if lacking:
        pytest.skip(f"{', '.join(lacking)}: needs the reference data in ../shared")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.old)
def test_every_change_matches_a_block(change):
    assert any(change.page == block.page and change.old in block.text for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_has_a_language_and_what_is_shown_can_be_read(block):
    assert block.language in (*RUN, *SHOWN), f"{block}: how is a {block.language!r} to be tested?"
    known = block.is_output or block.run_by
    assert not block.comment or known, f"{block}: {block.comment}"
    if block.language == "json":
        json.loads(block.text)
    elif block.language == "toml":
        tomli.loads(block.text)
    elif block.language == "yaml":
        yaml.safe_load(block.text)
    elif block.language == "python":
        compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.run_by], ids=str)
def test_the_test_that_runs_a_block_names_its_page_or_its_program(block):
    named = {block.page, *(Path(c.program[-1]).name for c in commands_in(block.text) if c.program)}
    text = (ROOT / block.run_by).read_text()
    assert any(name in text for name in named)
