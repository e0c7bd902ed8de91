"""The terminal: lines that progress bars do not tear, a status line, bars and a few colours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sized
from typing import Any, TextIO

from tqdm import tqdm

from astromer.system.text import without_secrets

_BOLD, _GREEN, _YELLOW, _RED = "1", "32", "33", "31"
_CLEAR_LINE = "\r\x1b[K"
_QUIET = 30.0  # seconds between two lines where standard error is no terminal

_status, _shown = "", False
"""The terminal's last line, below all that is printed, and whether it is there now."""


def bold(text: str, stream: TextIO | None = None) -> str:
    """A heading."""
    return _styled(text, _BOLD, stream)


def good(text: str, stream: TextIO | None = None) -> str:
    """A good result."""
    return _styled(text, _GREEN, stream)


def warn(text: str, stream: TextIO | None = None) -> str:
    """A warning."""
    return _styled(text, _YELLOW, stream)


def bad(text: str, stream: TextIO | None = None) -> str:
    """An error or a bad result."""
    return _styled(text, _RED, stream)


def _styled(text: str, code: str, stream: TextIO | None) -> str:
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    if wanted and (stream or sys.stdout).isatty():  # see no-color.org
        return f"\x1b[{code}m{text}\x1b[0m"
    return text


def say(text: str) -> None:
    """Prints lines on standard output; progress bars make way for them."""
    _hide_status()
    with tqdm.external_write_mode(sys.stdout):
        print(text, flush=True)
    if not tqdm._instances:
        _draw_status()


def say_error(text: str) -> None:
    """Prints ``error: ...`` on standard error, in a line of its own, without secrets."""
    show_status("")
    print(f"{bad('error:', sys.stderr)} {without_secrets(text)}", file=sys.stderr, flush=True)


def show_status(text: str) -> None:
    """Keeps a line below all that is printed, until there is another; "" for none.

    Where standard error is no terminal there is none.
    """
    global _status
    _hide_status()
    _status = text if sys.stderr.isatty() else ""
    _draw_status()


def _hide_status() -> None:
    global _shown
    if _shown:
        _shown = False
        sys.stderr.write(_CLEAR_LINE)
        sys.stderr.flush()


def _draw_status() -> None:
    global _shown
    if _status and not _shown:
        _shown = True
        sys.stderr.write(_status)
        sys.stderr.flush()


def progress_bar(
    iterable: Iterable[Any] | None = None,
    *,
    total: float | None = None,
    desc: str = "",
    unit: str = "it",
    disable: bool = False,
    unit_scale: bool = False,
) -> tqdm:
    """A bar on stderr with rate and ETA, for work that takes more than a second or two.

    Where stderr is no terminal, work of over half a minute writes a line every half minute.

    Args:
        iterable: iterated over with the bar; without it, call ``update``.
        total: number of units; without it there is no ETA.
        desc, unit: what is done, to what.
        disable: count only.
        unit_scale: write large numbers as 12.3M.
    """
    on_terminal = sys.stderr.isatty()
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    drawn = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}{postfix}]"
    plain = (
        "{desc}: {percentage:.0f}%, {n_fmt} of {total_fmt}{unit}, {rate_noinv_fmt}, "
        "{remaining} left"
    )
    return (_Bar if on_terminal else _Lines)(
        iterable,
        total=total,
        desc=desc,
        unit=f" {unit.strip()}",
        unit_scale=unit_scale,
        disable=disable,
        file=sys.stderr,
        bar_format=None if not total else drawn if on_terminal else plain,
        mininterval=0.2 if on_terminal else _QUIET,
        dynamic_ncols=on_terminal,
        leave=False,  # results follow in its place
        delay=1 if on_terminal else _QUIET,
        smoothing=0.1,
    )


class _Bar(tqdm):
    """A bar that is drawn once the work has taken ``delay`` seconds, and hides the status line.

    tqdm's own delay does not hold where something else redraws the bar.
    """

    delay: float

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Draws the bar, or ``msg`` in its place."""
        if self.delay:
            if msg is not None or self._time() < self.start_t + self.delay:
                return False
            self.delay = 0  # from now on there is something to clear
            _hide_status()
        return super().display(msg, pos)

    def close(self) -> None:
        """Clears the bar; the status line comes back."""
        drawn = not self.disable and not self.delay
        super().close()
        if drawn and not self._instances:
            _draw_status()

    def clear(self, nolock: bool = False) -> None:
        """Clears the bar while something else is printed."""
        if not self.delay:
            super().clear(nolock)


class _Lines(_Bar):
    """The same for a log file: a whole line every ``mininterval`` seconds."""

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Writes a line."""
        if msg is None and self._time() >= self.start_t + self.delay:
            self.fp.write(f"{self}\n")
            self.fp.flush()
        return False

    def clear(self, nolock: bool = False) -> None:
        """Does nothing: lines stay."""

    def close(self) -> None:
        """Has nothing to clear."""
        tqdm.close(self)

    def refresh(self, nolock: bool = False, lock_args: Any = None) -> bool:
        """Writes a line if it is due, not because something else was printed."""
        if self.disable:
            return False
        if self._time() - self.last_print_t >= self.mininterval:
            return super().refresh(nolock, lock_args)
        return False
