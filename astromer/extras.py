"""Libraries that a plain installation leaves out."""

from __future__ import annotations

import importlib.util

from astromer.errors import AstromerError


class MissingExtraError(AstromerError):
    """A library of an extra is not installed."""


def require(extra: str, *libraries: str) -> None:
    """Raises MissingExtraError, which says how to install them, for libraries not there."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed. "
            f'Install with: pip install "astromer-pipeline[{extra}]".'
        )
