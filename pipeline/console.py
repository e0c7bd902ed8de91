"""What the terminal shows of a run."""

from __future__ import annotations

from typing import Protocol

from astromer.terminal import bad, pass_by, say


class Step(Protocol):
    """One component's part in a run."""

    name: str
    cached: bool
    seconds: float


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

    def close(self) -> None:
        """Tells which component was running where an error has cut it short."""
        pass_by("")
        if self._running:
            say(f"{self._running:23} {bad('failed')}")
        self._running = ""
