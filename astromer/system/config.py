"""Config dataclasses: every field knows its reason, its flags and its range."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field
from typing import Any, TypeVar, get_type_hints

from astromer.system.errors import UsageError

REQUIRED = dataclasses.MISSING
"""The default of a knob that must be given."""

OUTPUT = "./outputs"
"""Where programs write by default."""

ConfigT = TypeVar("ConfigT", bound="Config")


@dataclass(frozen=True)
class Assignment:
    """A flag that sets several knobs, one at a time: ``--flag NAME=VALUE``."""

    flag: str
    value: str
    reason: str


def knob(
    default: Any,
    reason: str,
    *flags: str,
    choices: tuple[str, ...] = (),
    bounds: str = "",
    metavar: str = "",
    assigned: Assignment | None = None,
) -> Any:
    """A dataclass field that knows its reason, its flags and what values it takes.

    Args:
        default: the default, or :data:`REQUIRED`.
        reason: what it is and why the default is what it is.
        flags: command-line flags that set it.
        choices: the values it takes, where there are few.
        bounds: the values it takes as an interval, for instance "[0, 1)".
        metavar: what the help calls the value; its type by default.
        assigned: the flag that sets it by its name, instead of flags of its own.
    """
    metadata = {
        "reason": reason,
        "flags": flags,
        "choices": choices,
        "bounds": bounds,
        "metavar": metavar,
        "assigned": assigned,
    }
    return field(default=default, metadata=metadata)


class Config:
    """Base of the config dataclasses: what a config takes is checked when one is made."""

    def __post_init__(self) -> None:
        """Makes tuples of JSON's lists and checks each knob. Classes add rules between knobs.

        Raises:
            UsageError: naming the flag, the rule and the value received.
        """
        for one in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name)
            if isinstance(value, list):
                object.__setattr__(self, one.name, value := tuple(value))
            if one.metadata:
                _check(one, value)


def _check(knob: Field[Any], value: Any) -> None:
    bounds, choices = knob.metadata["bounds"], knob.metadata["choices"]
    assigned = knob.metadata["assigned"]
    name = " / ".join(knob.metadata["flags"]) or knob.name
    if assigned:
        name = f"{assigned.flag} {name}"
    if value == () and knob.default:
        raise UsageError(f"{name} must have at least one value. Received: none.")
    for one in value if isinstance(value, tuple) else (value,):
        if bounds and not _inside(one, bounds):
            raise UsageError(f"{name} must be in {bounds}. Received: {one}.")
        if choices and one not in choices:
            raise UsageError(f"{name} must be one of {', '.join(choices)}. Received: {one}.")


def _inside(value: float, bounds: str) -> bool:
    low, high = (float(edge) for edge in bounds[1:-1].split(","))
    above = value >= low if bounds[0] == "[" else value > low
    below = value <= high if bounds[-1] == "]" else value < high
    return above and below


def knobs_of(config: type) -> Iterator[tuple[Field[Any], Any]]:
    """The fields of a config class that can be given, each with its type."""
    types = get_type_hints(config)
    for one in dataclasses.fields(config):
        if one.init:
            yield one, types[one.name]


def all_knobs(config: type) -> Iterator[tuple[Field[Any], Any]]:
    """The same of a config class and of the configs in it, which do not count themselves."""
    for one, kind in knobs_of(config):
        if is_config(kind):
            yield from all_knobs(kind)
        else:
            yield one, kind


def is_config(kind: Any) -> bool:
    """Whether a field of this type is a config itself."""
    return isinstance(kind, type) and issubclass(kind, Config)


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain JSON types."""
    return dataclasses.asdict(config)


def from_dict(config: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """The config that :func:`to_dict` made plain; what is missing has its default.

    Raises:
        UsageError: for a value that a knob does not take.
        TypeError: for a name that is no knob.
    """
    inner = {one.name: kind for one, kind in knobs_of(config) if is_config(kind)}
    return config(
        **{
            name: from_dict(inner[name], value) if name in inner else value
            for name, value in values.items()
        }
    )


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
