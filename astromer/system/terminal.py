"""What a terminal shows: lines that progress bars do not tear, and a few colours.

Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Sized
from typing import Any, TextIO

from tqdm import tqdm

from astromer.system.text import without_secrets

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


_QUIET = 30.0  # seconds between two lines where standard error is no terminal


class Bar(tqdm):
    """A bar that is drawn once the work has taken a second, and leaves nothing behind."""

    delay: float

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Draws the bar, or ``msg`` in its place."""
        if self.delay:
            if msg is not None or self._time() < self.start_t + self.delay:
                return False
            self.delay = 0  # from now on there is something to clear
            hide_passing()
        return super().display(msg, pos)

    def close(self) -> None:
        """Takes the bar away; what stood there before comes back."""
        drawn = not self.disable and not self.delay
        super().close()
        if drawn and not self._instances:
            show_passing()

    def clear(self, nolock: bool = False) -> None:
        """Takes the bar away while something else is printed."""
        if not self.delay:
            super().clear(nolock)


class Lines(Bar):
    """The same for a log file: a whole line now and then."""

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Writes a line."""
        if msg is None and self._time() >= self.start_t + self.delay:
            self.fp.write(f"{self}\n")
            self.fp.flush()
        return False

    def clear(self, nolock: bool = False) -> None:
        """Lines stay."""

    def close(self) -> None:
        """Nothing is left to clear."""
        tqdm.close(self)

    def refresh(self, nolock: bool = False, lock_args: Any = None) -> bool:
        """As a bar, but never only because something else was printed."""
        if self.disable:
            return False
        if self._time() - self.last_print_t >= self.mininterval:
            return super().refresh(nolock, lock_args)
        return False


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
        iterable: what the bar goes along with, or nothing: then ``update`` moves it.
        total: how many units there are; without, the bar counts and knows no ETA.
        desc, unit: what is done, to what.
        disable: whether to count only.
        unit_scale: whether to write 12.3M for large numbers.
    """
    on_terminal = sys.stderr.isatty()
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    drawn = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}{postfix}]"
    plain = (
        "{desc}: {percentage:.0f}%, {n_fmt} of {total_fmt}{unit}, {rate_noinv_fmt}, "
        "{remaining} left"
    )
    return (Bar if on_terminal else Lines)(
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
