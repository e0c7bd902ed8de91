"""Text of users and libraries in messages, tables and plots: printable, short, without secrets.

And Markdown: tables, numbers, and text of which Markdown interprets nothing.
Imports the standard library only.
"""

from __future__ import annotations

import numbers
import os
import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PIPELINE = "astromer-pipeline"
"""The command that an installation of the pipeline brings."""
HIDDEN = "***"
# Up to the last @ of the word: a password may hold any character.
_LOGIN = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*:)(?P<secret>\S*)@")
_NAMES = (
    r"sig|signature|token|access_?token|sas|password|passwd|pwd|secret|client_?secret|api_?key|"
    r"key|aws_?access_?key_?id|aws_?secret_?access_?key|x-(?:amz|goog)-"
    r"(?:signature|credential|security-token)"
)
_PARAMETER = re.compile(rf"(?P<before>[?&;](?:{_NAMES})=)(?P<secret>[^\s&#;'\"]*)", re.IGNORECASE)


def printable(text: str) -> str:
    """Text with characters that a terminal would obey, or that start a line, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shortened(text: str, width: int = 80) -> str:
    """Printable text, cut to ``width`` characters."""
    # Cut first: a name may be as long as its record.
    text = printable(text[: width + 1])
    return text if len(text) <= width else text[: width - 3] + "..."


def brief(error: BaseException, width: int = 300) -> str:
    """The first line of an error's message, cut to ``width`` characters, without a full stop.

    Its type where the message is empty.
    """
    lines = (line.strip() for line in str(error).splitlines())
    first = next((line for line in lines if line), "").rstrip(".")
    return shortened(first, width) or type(error).__name__


def csv_cell(text: str) -> str:
    """A text for a CSV table that no spreadsheet takes for a formula (OWASP, "CSV Injection").

    Numbers stay as they are. The csv module writes no NUL.
    """
    text = text.replace("\0", "\\x00")
    if not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def shell_word(path: str | Path) -> str:
    """A path quoted for a shell, as $'...' where it has control characters."""
    text = str(path)
    if text.startswith("-"):
        text = f"./{text}"  # else an option
    if text.startswith("~"):
        text = os.path.abspath(text)  # else the home folder, even in quotes: programs expand it
    if text.isprintable():
        return shlex.quote(text)
    written = (_ansi_c(character) for character in text)
    return f"$'{''.join(written)}'"


def _ansi_c(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    # Three digits always end a byte: \x would take the letter after it.
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))


def pipeline_command() -> str:
    """How the pipeline is started: by its file where there is a checkout, else by its command."""
    file = "pipeline/local_runner.py"
    return f"python {file}" if Path(file).is_file() else PIPELINE


def duration(seconds: float) -> str:
    """A time in the largest unit that fits: "4 s", "12 min", "3.5 h"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def other_classes(names: Collection[str], unknown: bool = False) -> str:
    """The name of several classes without a colour or row of their own, and of unknown ones."""
    parts = [f"{len(names)} other classes"] if len(names) > 1 else list(names)
    return " or ".join([*parts, *(["class unknown"] if unknown else [])])


def without_secrets(text: str) -> str:
    """A text with ``***`` for the password of each URL and for tokens among its parameters."""
    text = _LOGIN.sub(rf"\g<before>{HIDDEN}@", text)
    return _PARAMETER.sub(rf"\g<before>{HIDDEN}", text)


def has_secrets(place: str) -> bool:
    """Whether an address in a store carries a password or a token of its own."""
    try:
        login = urlsplit(place).netloc.rpartition("@")[0]
    except ValueError:  # no address: opening it fails
        login = ""
    # s3://key:secret@bucket: a secret may have a slash, which ends what urlsplit takes for it.
    return ":" in login or bool(_LOGIN.match(place)) or bool(_PARAMETER.search(place))


UNKNOWN = "unknown"
_SPECIAL = re.compile(r"([\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_]))")  # keeps the _ of "a_b"


def escaped(text: str, most: int = 80) -> str:
    """A user's text in one line, cut to ``most`` characters, with a backslash where needed."""
    return _SPECIAL.sub(r"\\\1", shortened(str(text), most))


def listed(names: Iterable[str]) -> str:
    """Names with commas, escaped; "unknown" if there is none."""
    return ", ".join(escaped(name) for name in names) or UNKNOWN


def number(value: Any, digits: int = 4) -> str:
    """A number for people, or text, escaped; "unknown" for None and an empty text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, numbers.Real):
        return escaped(value) if value else UNKNOWN
    value = value if isinstance(value, int) else float(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
