"""Progress bars, one style for every program."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar(
    iterable: Iterable[Any] | None = None,
    *,
    total: float | None = None,
    desc: str = "",
    unit: str = "it",
    disable: bool = False,
) -> tqdm:
    """A bar on stderr with rate and ETA, for work that takes more than a second or two.

    Where stderr is no terminal, work of over half a minute writes a line every half minute.
    """
    on_terminal = sys.stderr.isatty()
    return tqdm(
        iterable,
        total=total,
        desc=desc,
        unit=unit,
        disable=disable,
        file=sys.stderr,
        mininterval=0.2 if on_terminal else 30,
        dynamic_ncols=on_terminal,
        leave=not on_terminal,  # a line of its own, so that what follows starts a new one
        delay=1 if on_terminal else 30,
        smoothing=0.1,
    )
