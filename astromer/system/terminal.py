"""What a terminal shows: lines that progress bars do not tear, and a few colours.

Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, TextIO

from astromer.system.secrets import without_secrets

_BOLD, _GREEN, _YELLOW, _RED = "1", "32", "33", "31"
_CLEAR_LINE = "\r\x1b[K"

_passing, _shown = "", False
"""What stands on the terminal's last line, below all that is said, and whether it does now."""


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
    bars: Any = sys.modules.get("tqdm")
    hide_passing()
    with bars.tqdm.external_write_mode(sys.stdout) if bars else contextlib.nullcontext():
        print(text, flush=True)
    if not bars or not bars.tqdm._instances:
        show_passing()


def say_error(text: str) -> None:
    """Prints ``error: ...`` on standard error, in a line of its own, without secrets."""
    pass_by("")
    print(f"{bad('error:', sys.stderr)} {without_secrets(text)}", file=sys.stderr, flush=True)


def pass_by(text: str) -> None:
    """Keeps a line below all that is said, until there is another; "" for none.

    Where standard error is no terminal there is none.
    """
    global _passing
    hide_passing()
    _passing = text if sys.stderr.isatty() else ""
    show_passing()


def hide_passing() -> None:
    """Takes the line of :func:`pass_by` away for something else, such as a progress bar."""
    global _shown
    if _shown:
        _shown = False
        sys.stderr.write(_CLEAR_LINE)
        sys.stderr.flush()


def show_passing() -> None:
    """Shows it again."""
    global _shown
    if _passing and not _shown:
        _shown = True
        sys.stderr.write(_passing)
        sys.stderr.flush()


def _styled(text: str, code: str, stream: TextIO | None) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if has_colours(stream or sys.stdout) else text
