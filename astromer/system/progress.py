"""Progress bars, one style for every program."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sized
from typing import Any

from tqdm import tqdm

from astromer.system.terminal import hide_passing, show_passing

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
