"""Checks of options that several benchmarks have. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from astromer.system.errors import UsageError


def chosen(given: Sequence[str], known: Sequence[str], metavar: str) -> list[str]:
    """The parts of a benchmark that were asked for; all of them by default.

    Raises:
        UsageError: there is no such part.
    """
    wrong = sorted(set(given) - set(known))
    if wrong:
        raise UsageError(f"{metavar} must be one of {', '.join(known)}. Received: {wrong[0]}.")
    return list(given or known)


def check_positive(values: Mapping[str, int]) -> None:
    """Checks numbers by the names of their flags.

    Raises:
        UsageError: one is below 1.
    """
    for flag, value in values.items():
        if value < 1:
            raise UsageError(f"{flag} must be at least 1. Received: {value}.")
