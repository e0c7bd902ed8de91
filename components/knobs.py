"""Knobs as execution properties: one for each, so that each can be given when a run is started."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from tfx.types.component_spec import ExecutionParameter

ConfigT = TypeVar("ConfigT")


def execution_parameters(*configs: type) -> dict[str, ExecutionParameter]:
    """The parameters of a component that takes every knob of some config classes."""
    return {
        name: ExecutionParameter(type=int if kind is bool else kind)
        for config in configs
        for name, kind in get_type_hints(config).items()
    }


def properties(*configs: Any) -> dict[str, int | float | str]:
    """The values of some configs by field name, truth values as 0 and 1.

    Orchestrators have none.
    """
    values = {
        field.name: getattr(config, field.name)
        for config in configs
        for field in dataclasses.fields(config)
    }
    return {
        name: int(value) if isinstance(value, bool) else value for name, value in values.items()
    }


def config_from(config: type[ConfigT], exec_properties: Mapping[str, Any]) -> ConfigT:
    """The config that execution properties describe.

    Raises:
        UsageError: for a value that a knob does not take. On the command line it would have been
            refused before the run.
    """
    return config(
        **{name: kind(exec_properties[name]) for name, kind in get_type_hints(config).items()}
    )
