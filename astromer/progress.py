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
    """A bar on stderr with rate and ETA; in a log file it writes a line every half minute."""
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
        leave=on_terminal,
        smoothing=0.1,
    )
