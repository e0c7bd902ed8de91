"""What is fuzzed, and what must be true of it for every input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from astromer.system.errors import AstromerError, exit_codes

T = TypeVar("T")
LONGEST_MESSAGE = 4_000
"""Characters: an error is read in a terminal."""


class BrokenProperty(Exception):
    """Code answered, or refused, in a way that it must not."""


@dataclass(frozen=True)
class Target:
    """Code that reads something untrusted.

    Attributes:
        name: as the command line and the folders call it.
        title: what is driven, in words.
        check: gets the bytes of an input and an empty folder; returns where the property holds and
            raises anything at all where it does not.
        seeds: inputs to begin with, most of them valid.
        longest: bytes of an input.
    """

    name: str
    title: str
    check: Callable[[bytes, Path], None]
    seeds: Callable[[], Iterable[bytes]]
    longest: int = 4096


def allowed(action: Callable[[], T], *names: object) -> T | None:
    """What an action returns; None where it refuses its input as it should.

    Args:
        action: the code under test.
        names: of which the message must name one, for instance the file; none for any message.

    Raises:
        BrokenProperty: it refuses without an exit code of its own, or without saying of what.
        Exception: whatever else the action raises.
    """
    try:
        return action()
    except AstromerError as error:
        check_refusal(error, [str(name) for name in names])
        return None


def check_refusal(error: AstromerError, names: Sequence[str]) -> None:
    """Raises BrokenProperty for an error that does not tell enough, or too much."""
    message = str(error)
    codes = set(exit_codes()) - {0, AstromerError.exit_code}
    require(error.exit_code in codes, f"exit code {error.exit_code} is not documented")
    require(bool(message.strip()), "the message is empty")
    require(len(message) <= LONGEST_MESSAGE, f"the message has {len(message)} characters")
    named = not names or any(name in message for name in names)
    require(named, f"the message names none of {', '.join(names)}: {message[:300]}")


def require(holds: bool, otherwise: str) -> None:
    """Raises BrokenProperty unless a post-condition holds."""
    if not holds:
        raise BrokenProperty(otherwise)
