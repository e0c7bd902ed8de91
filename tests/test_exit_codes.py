"""docs/exit_codes.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from astromer.commands.cli import Parser
from astromer.system.errors import EXIT_CODES_PAGE, exit_codes

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_lists_every_code_as_the_code_has_it() -> None:
    page = (ROOT / EXIT_CODES_PAGE).read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `?(\w*)`? \| (.+?) \|", page, re.MULTILINE)
    assert {int(code): (name, meaning) for code, name, meaning in rows} == exit_codes()


def test_every_help_ends_with_the_page() -> None:
    for epilog in (None, "A stopped run goes on."):
        last = Parser(prog="p", epilog=epilog).format_help().splitlines()[-1]
        assert EXIT_CODES_PAGE in last
