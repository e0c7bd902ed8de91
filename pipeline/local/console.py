"""What the terminal shows of a run."""

from __future__ import annotations

import sys
from typing import Protocol

from astromer.system.errors import TrainingInterrupted, causes
from astromer.system.terminal import bad, pass_by, say, warn
from astromer.system.termination import was_interrupted


class Step(Protocol):
    """One component's part in a run."""

    name: str
    cached: bool
    seconds: float
    altered: list[str]


class Report:
    """One line for each component: its name, then its time or where its result came from.

    While a component works its name stands on the last line of a terminal; progress bars take
    its place.
    """

    def __init__(self) -> None:
        self._running = ""

    def say(self, text: str) -> None:
        """Prints some text."""
        say(text)

    def started(self, name: str) -> None:
        """A component begins."""
        self._running = name
        pass_by(f"{name:23} ...")

    def ended(self, step: Step) -> None:
        """A component has ended well."""
        self._running = ""
        pass_by("")
        say(f"{step.name:23} {'cached' if step.cached else f'{step.seconds:.1f} s'}")
        for place in step.altered:
            say(warn(f"made again, since files in {place} had changed"))

    def close(self) -> None:
        """Tells which component was running where an error or a stop has cut it short."""
        pass_by("")
        if self._running:
            say(f"{self._running:23} {warn('stopped') if _is_stopping() else bad('failed')}")
        self._running = ""


def _is_stopping() -> bool:
    """Whether what is being raised is a wish of the user's."""
    error = sys.exc_info()[1]
    wishes = (KeyboardInterrupt, SystemExit, TrainingInterrupted)
    if error is not None and any(isinstance(seen, wishes) for seen in causes(error)):
        return True
    return was_interrupted()
