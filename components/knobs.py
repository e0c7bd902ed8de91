"""Knobs as execution properties: one for each, so that each can be given when a run is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfx.types.component_spec import ExecutionParameter

from astromer.system.config import Config, ConfigT, all_knobs, is_config, knobs_of


def execution_parameters(config: type[Config]) -> dict[str, ExecutionParameter]:
    """The parameters of a component that takes every knob of a config class."""
    return {
        knob.name: ExecutionParameter(type=int if kind is bool else kind)
        for knob, kind in all_knobs(config)
    }


def properties(config: Config) -> dict[str, int | float | str]:
    """The values of a config by the names of the knobs; truth values, which orchestrators lack,
    as 0 and 1.
    """
    found: dict[str, int | float | str] = {}
    for knob, kind in knobs_of(type(config)):
        value = getattr(config, knob.name)
        if is_config(kind):
            found |= properties(value)
        else:
            found[knob.name] = int(value) if kind is bool else value
    return found


def from_properties(config: type[ConfigT], exec_properties: Mapping[str, Any]) -> ConfigT:
    """The config that execution properties describe.

    Raises:
        UsageError: for a value that a knob does not take. On the command line it would have been
            refused before the run.
    """
    return config(
        **{
            knob.name: from_properties(kind, exec_properties)
            if is_config(kind)
            else kind(exec_properties[knob.name])
            for knob, kind in knobs_of(config)
        }
    )
