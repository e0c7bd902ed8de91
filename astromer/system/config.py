"""Config dataclasses: every field knows its reason, its flags and its range."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from astromer.system.errors import UsageError


def knob(
    default: Any,
    reason: str,
    *flags: str,
    choices: tuple[str, ...] = (),
    bounds: str = "",
) -> Any:
    """A dataclass field that knows its reason, its flags and what values it takes.

    Args:
        default: the default.
        reason: what it is and why the default is what it is.
        flags: command-line flags that set it.
        choices: the values it takes, where there are few.
        bounds: the values it takes as an interval, for instance "[0, 1)".
    """
    metadata = {"reason": reason, "flags": flags, "choices": choices, "bounds": bounds}
    return field(default=default, metadata=metadata)


OUTPUT = "./outputs"
"""Where programs write unless told otherwise."""


class Config:
    """Base of the config dataclasses: what a config takes is checked when one is made."""

    def __post_init__(self) -> None:
        """Checks each knob. Classes add the rules between several knobs.

        Raises:
            UsageError: naming the flag, the rule and the value received.
        """
        for knob_field in dataclasses.fields(self):  # type: ignore[arg-type]
            value, metadata = getattr(self, knob_field.name), knob_field.metadata
            bounds, choices = metadata.get("bounds", ""), metadata.get("choices", ())
            if not bounds and not choices:
                continue
            name = " / ".join(metadata["flags"]) or knob_field.name
            if value == ():
                raise UsageError(f"{name} must have at least one value. Received: none.")
            for one in value if isinstance(value, tuple) else (value,):
                if bounds and not _inside(one, bounds):
                    raise UsageError(f"{name} must be in {bounds}. Received: {one}.")
                if choices and one not in choices:
                    raise UsageError(
                        f"{name} must be one of {', '.join(choices)}. Received: {one}."
                    )


def _inside(value: float, bounds: str) -> bool:
    low, high = (float(edge) for edge in bounds[1:-1].split(","))
    above = value >= low if bounds[0] == "[" else value > low
    below = value <= high if bounds[-1] == "]" else value < high
    return above and below


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain JSON types."""
    return dataclasses.asdict(config)


@dataclass(frozen=True)
class LogConfig(Config):
    """Which log files of earlier runs stay."""

    keep_logs: int = knob(
        20,
        "runs whose log files stay in OUTPUT/logs; a log is some megabytes, and the last few tell "
        "what went wrong",
        "--keep-logs",
        bounds="[1, inf)",
    )
