"""The code blocks of README.md and docs/*.md, and what stands beside them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
NAMES = tuple(str(page.relative_to(ROOT)) for page in PAGES)

RUN = ("sh", "python")
"""Languages of blocks that a reader would run."""
SHOWN = ("text", "csv", "json", "toml", "yaml", "sql", "dockerfile")
"""Languages of blocks that a reader looks at."""

_FENCE = re.compile(r"^( *)```(.*)$")
_COMMENT = re.compile(r"^\s*<!-- (.*) -->\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: its file, seen from the root of the repository.
        line: of its opening fence, counted from 1.
        language: what stands behind the opening fence.
        text: without the indentation of the fence.
        comment: the HTML comment in the line before the block.
    """

    page: str
    line: int
    language: str
    text: str
    comment: str

    @property
    def run_by(self) -> str:
        """The test that runs it, where it is not one of tests/docs."""
        return self.comment.removeprefix("run by ") if self.comment.startswith("run by ") else ""

    @property
    def is_output(self) -> bool:
        """Whether it shows what the block before it prints."""
        return self.comment == "output"

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    start, language, indent = 0, "", ""
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if fence is None:
            continue
        if not start:
            start, indent, language = number, fence[1], fence[2].strip()
            continue
        before = [text for text in lines[: start - 1] if text.strip()][-1:]
        comment = _COMMENT.match(before[0]) if before else None
        inside = "\n".join(line.removeprefix(indent) for line in lines[start : number - 1])
        found.append(
            Block(
                str(page.relative_to(ROOT)),
                start,
                language,
                textwrap.dedent(inside) + "\n",
                comment[1] if comment else "",
            )
        )
        start = 0
    if start:
        raise ValueError(f"{page}: the block of line {start} does not end")
    return found


BLOCKS = tuple(block for page in PAGES for block in blocks_of(page))


def prose_of(page: Path) -> str:
    """A page without its fenced blocks."""
    kept, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)
