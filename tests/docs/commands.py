"""The commands in a text, and the options that programs have."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from astromer.__main__ import PROGRAMS
from tests.docs.pages import ROOT, prose_of

INSTALLED = {"astromer": ("-m", "astromer"), "astromer-pipeline": ("pipeline/local_runner.py",)}
"""The commands that an installation brings, and what Python is given for each."""
OURS = ("astromer", "components", "pipeline", "presentation", "tools")
_ASSIGNMENT = re.compile(r"^[A-Z_]+=")
_PROGRAMS = r"\S*python|make|pip|sh|docker|gcloud|kubectl|\S*astromer(?:-pipeline)?"
_IN_SENTENCE = re.compile(rf"`((?:[A-Z_]+=\S+ )*(?:{_PROGRAMS}) [^`]+)`")
_BETWEEN = re.compile(r"^(;|&&?|\|\|?)$")


@dataclass(frozen=True)
class Command:
    """One command: its words, without settings of the environment before it."""

    words: tuple[str, ...]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of Python, for a Python program; else empty."""
        name = self.words[0].rpartition("/")[2]
        if name in ("python", "python3"):
            return self.words[1:]
        return (*INSTALLED[name], *self.words[1:]) if name in INSTALLED else ()

    @property
    def program(self) -> tuple[str, ...]:
        """``-m MODULE``, ``-m astromer NAME`` or a file for Python's programs, else empty."""
        arguments = self.arguments
        if arguments[:1] != ("-m",):
            return arguments[:1]
        return arguments[: 3 if arguments[1] == "astromer" else 2]

    @property
    def is_ours(self) -> bool:
        """Whether it is a program of this repository."""
        return bool(self.program) and re.split(r"[./]", self.program[-1])[0] in (*OURS, *PROGRAMS)

    @property
    def options(self) -> list[str]:
        """The names of its options."""
        after = self.arguments[len(self.program) :]
        words = [word for last, word in pairwise(("", *after)) if last != "--beam"]
        return [word.split("=")[0] for word in words if re.match(r"--[a-z]", word)]


def commands_in_sentences(page: Path) -> list[str]:
    """The commands that stand in a page's sentences, in backquotes."""
    return _IN_SENTENCE.findall(prose_of(page))


def commands_in(text: str) -> list[Command]:
    """The commands of a shell's text; each line, or each part between ``;``, ``&&`` and ``|``."""
    found: list[Command] = []
    open_lines = ""
    for line in text.replace("\\\n", " ").splitlines():
        open_lines += line + "\n"
        try:
            lexer = shlex.shlex(open_lines, posix=True, punctuation_chars=";&|")
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:  # a quotation that goes on in the next line
            continue
        open_lines = ""
        part: list[str] = []
        for word in [*words, ";"]:
            if not _BETWEEN.match(word):
                part += [] if not part and _ASSIGNMENT.match(word) else [word]
            elif part:
                found.append(Command(tuple(part)))
                part = []
    assert not open_lines, f"a quotation does not end: {open_lines}"
    return found


@functools.cache
def options_of(program: tuple[str, ...]) -> frozenset[str]:
    """The options that ``--help`` of a program, and of each of its commands, lists."""
    text = _help_of(program)
    commands = re.search(r"^  COMMAND\n((?:    +\S.*\n)+)", text, re.MULTILINE)
    for command in re.findall(r"^    ([a-z]+) ", commands[1], re.MULTILINE) if commands else ():
        text += _help_of((*program, command))
    return frozenset(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text))


def _help_of(program: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, *program, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{' '.join(program)} --help: {done.stderr}"
    return done.stdout


@functools.cache
def make_targets() -> frozenset[str]:
    """The targets that ``make`` alone lists."""
    return frozenset(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def wrong_in(command: Command) -> list[str]:
    """What a reader who types the command would stumble over."""
    name, *rest = command.words
    if command.is_ours:
        unknown = sorted(set(command.options) - options_of(command.program))
        return [f"{' '.join(command.program)} has no {option}" for option in unknown]
    if name == "make":
        targets = [word for word in rest if "=" not in word and not word.startswith("-")]
        return [f"make has no target {one}" for one in targets if one not in make_targets()]
    if name == "sh":
        return [] if (ROOT / rest[0]).is_file() else [f"there is no {rest[0]}"]
    if name == "pip" and (extras := re.match(r"\.\[(.*)\]$", rest[-1])):
        known = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
        return [f"there is no extra {one}" for one in extras[1].split(",") if one not in known]
    return []
