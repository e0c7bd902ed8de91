"""What the terminal shows of a run."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from astromer.system.errors import TrainingInterrupted, causes
from astromer.system.logs import is_verbose
from astromer.system.storage import as_path
from astromer.system.terminal import bad, bold, good, say, show_status, warn
from astromer.system.termination import was_interrupted
from astromer.system.text import duration, shell_word

if TYPE_CHECKING:
    from tfx.types import Artifact


@dataclass
class Step:
    """One component's part in a run.

    Attributes:
        name: its id.
        cached: whether its results came from the cache; always False for a resolver.
        seconds: wall-clock time.
        outputs: output artifacts by key.
        altered: of an earlier run's outputs, folders whose files had changed since, so that the
            component ran again.
    """

    name: str
    cached: bool = False
    seconds: float = 0.0
    outputs: dict[str, list[Artifact]] = field(default_factory=dict)
    altered: list[str] = field(default_factory=list)


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
        show_status(f"{name:23} ...")

    def ended(self, step: Step) -> None:
        """A component has ended well."""
        self._running = ""
        show_status("")
        say(f"{step.name:23} {'cached' if step.cached else f'{step.seconds:.1f} s'}")
        for place in step.altered:
            say(warn(f"made again, because files in {place} had changed"))

    def close(self) -> None:
        """Prints which component was running when an error or a stop ended the run."""
        show_status("")
        if self._running:
            say(f"{self._running:23} {warn('stopped') if _is_stopping() else bad('failed')}")
        self._running = ""


def _is_stopping() -> bool:
    """Whether the user asked for what is being raised."""
    error = sys.exc_info()[1]
    stops = (KeyboardInterrupt, SystemExit, TrainingInterrupted)
    if error is not None and any(isinstance(seen, stops) for seen in causes(error)):
        return True
    return was_interrupted()


_LABEL, _WIDTH = 10, 80
_NAMED = 4  # components that are named with their time


def paragraph(label: str, text: str) -> str:
    """A heading in bold with text beside it, in lines of at most 80 characters."""
    lines = [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(
            part, _WIDTH - _LABEL, break_long_words=False, break_on_hyphens=False
        )
    ]
    first, *others = lines or [""]
    return "\n".join([bold(f"{label:{_LABEL}}") + first, *(" " * _LABEL + line for line in others)])


def blessing_line(reasons: str, news: str) -> str:
    """Whether a model may be served.

    Args:
        reasons: why not; "" where it is.
        news: what has become of one that may.
    """
    if reasons:
        return paragraph("Verdict", f"{bad('not blessed')}, so nothing was pushed: {reasons}")
    return paragraph("Verdict", f"{good('blessed')}, {news}")


def times(steps: Mapping[str, Step]) -> str:
    """The components that took longest, and how many took nothing."""
    worked = sorted(
        (step for step in steps.values() if not step.cached), key=lambda step: -step.seconds
    )
    named, others = worked[:_NAMED], worked[_NAMED:]
    parts = [f"{step.name} {duration(step.seconds)}" for step in named if step.seconds >= 0.5]
    rest = sum(step.seconds for step in [*others, *(s for s in named if s.seconds < 0.5)])
    if parts:
        parts.append(f"others {duration(rest)}")
    if cached := sum(step.cached for step in steps.values()):
        parts.append(f"{counted(cached, 'component')} from the cache")
    total = duration(sum(step.seconds for step in steps.values()))
    return paragraph("Time", f"{total}: {', '.join(parts)}")


def for_machines(steps: Mapping[str, Step]) -> list[dict[str, Any]]:
    """The components in their order, as JSON types."""
    return [
        {"name": step.name, "cached": step.cached, "seconds": round(step.seconds, 3)}
        for step in steps.values()
    ]


def counted(number: int, unit: str) -> str:
    """ "1 epoch", "3 epochs"."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def files_of(run: Path) -> str:
    """The log of a run and its twin for machines."""
    twin = run.with_suffix(".json")
    if is_verbose():
        return located("Summary", twin, note="for machines: ")
    return f"{located('Log', run)}; this summary\n{' ' * _LABEL}as {twin.name}"


def located(label: str, path: str | Path, note: str = "") -> str:
    """A heading with a path beside it, in one line however long: it is to be copied."""
    return bold(f"{label:{_LABEL}}") + note + short(path)


def short(path: str | Path) -> str:
    """The path as a shell takes it, from the current folder where it lies below."""
    path = as_path(path)
    below = path.is_relative_to(Path.cwd())
    return shell_word(path.relative_to(Path.cwd()) if below else path)
