"""Every command and option of the documents in ../shared/docs works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from astromer.system.config import Config
from presentation.pretraining import parse
from tests.docs.commands import commands_in, wrong_in
from tests.docs.pages import NAMES, Block
from tests.docs.place import Place
from tests.docs.small import SMALLER

_BLOCK = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(python [^`]+)`")
_ROW = re.compile(
    r"^\| *`(--[a-z-]+)` *\| *([^|]+?) *\| *([^|]+?) *\| *([^|]+?) *\|$", re.MULTILINE
)
_EXAMPLE = {"int": ["8"], "float": ["0.2"], "str": ["astromer_v2"], "-": []}
"""Values by type."""


def texts(shared: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted((shared / "docs").glob("*.md"))}


def rows(shared: Path) -> list[tuple[str, str, str, str]]:
    return [row for text in texts(shared).values() for row in _ROW.findall(text)]


def test_programs_and_options_are_there(shared):
    found = [
        command
        for text in texts(shared).values()
        for part in (*_BLOCK.findall(text), *_INLINE.findall(text))
        for command in commands_in(part)
    ]
    assert len(found) >= 3
    assert [wrong for command in found for wrong in wrong_in(command)] == []


def test_options_have_the_documented_type_and_default(shared):
    table = rows(shared)
    assert len(table) >= 15
    plain = flat(parse(["--data", "F"], "pretrain", ""))
    for flag, kind, default, _ in table:
        value = _EXAMPLE[kind]
        given = flat(parse(["--data", "F", flag, *value], "pretrain", ""))
        ((name, new),) = ((name, given[name]) for name in given if given[name] != plain[name])
        assert str(new) == (*value, "True")[0], flag
        if default != "(required)":
            documented = default.strip("`")
            assert plain[name] == (type(new)(documented) if value else False), flag


def flat(config: Config, within: str = "") -> dict[str, Any]:
    """The knobs of a config and of those in it, by their names with a dot between."""
    found = {}
    for name, value in vars(config).items():
        path = f"{within}{name}"
        found |= flat(value, f"{path}.") if isinstance(value, Config) else {path: value}
    return found


@pytest.mark.slow
def test_the_training_commands_run(shared, place: Place):
    blocks = _BLOCK.findall(texts(shared)["training.md"])
    assert len(blocks) == 2
    for text in blocks:
        done = place.run(Block("training.md", 0, "sh", text, ""))
        assert done.code == 0, f"{text}\n{done.output}"
        assert "SavedModel: " in done.output


@pytest.mark.slow
def test_every_smaller_size_is_used(request, shared, place: Place):
    """Runs last. An entry that no command needs any more is to be deleted."""
    if request.session.testscollected < len(NAMES):
        pytest.skip("not all pages were run")
    ran = [command["words"] for command in place.commands()]
    used = set()
    for program, smaller in SMALLER.items():
        options = smaller.options.split()
        if any(
            program in (*words[:2], " ".join(words[1:3])) and words[-len(options) :] == options
            for words in ran
        ):
            used.add(program)
    assert used == set(SMALLER)
