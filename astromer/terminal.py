"""What a terminal shows: lines that progress bars do not tear, and a few colours.

Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, TextIO

_BOLD, _GREEN, _YELLOW, _RED = "1", "32", "33", "31"
_CLEAR_LINE = "\r\x1b[K"

_passing = ""
"""What stands on the terminal's last line until something else is said there."""


def bold(text: str, stream: TextIO | None = None) -> str:
    """A heading."""
    return _styled(text, _BOLD, stream)


def good(text: str, stream: TextIO | None = None) -> str:
    """A verdict that all is well."""
    return _styled(text, _GREEN, stream)


def warn(text: str, stream: TextIO | None = None) -> str:
    """A verdict to look at."""
    return _styled(text, _YELLOW, stream)


def bad(text: str, stream: TextIO | None = None) -> str:
    """A verdict that something is wrong."""
    return _styled(text, _RED, stream)


def has_colours(stream: TextIO) -> bool:
    """Whether a stream is a terminal with colours, and its user wants them (no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    return wanted and stream.isatty()


def say(text: str) -> None:
    """Prints lines on standard output; progress bars make way for them."""
    clear_passing()
    bars: Any = sys.modules.get("tqdm")
    with bars.tqdm.external_write_mode(sys.stdout) if bars else contextlib.nullcontext():
        print(text, flush=True)


def say_error(text: str) -> None:
    """Prints ``error: ...`` on standard error, in a line of its own."""
    clear_passing()
    print(f"{bad('error:', sys.stderr)} {text}", file=sys.stderr, flush=True)


def pass_by(text: str) -> None:
    """Shows a line until something else is said; nothing where standard error is no terminal."""
    global _passing
    clear_passing()
    if sys.stderr.isatty():
        _passing = text
        sys.stderr.write(text)
        sys.stderr.flush()


def clear_passing() -> None:
    """Takes away what :func:`pass_by` has shown."""
    global _passing
    if _passing:
        _passing = ""
        sys.stderr.write(_CLEAR_LINE)
        sys.stderr.flush()


def _styled(text: str, code: str, stream: TextIO | None) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if has_colours(stream or sys.stdout) else text
