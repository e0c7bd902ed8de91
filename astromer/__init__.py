"""AstroMer: a transformer encoder for light curves.

``astromer.load(path)`` loads a pushed model; nothing heavy is imported before that.
"""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    from pathlib import Path

    from astromer.embedder import Embedder

__version__ = "0.1.0"


def load(path: str | Path) -> Embedder:
    """Loads a pushed model, or the newest of a folder of versions.

    Raises:
        ModelError: if there is none, or it cannot be loaded.
    """
    from astromer.logs import silence

    silence()
    from astromer.embedder import Embedder

    return Embedder(path)
