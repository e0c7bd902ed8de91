"""The targets, each in a module of its own that is imported when it is needed."""

from __future__ import annotations

import importlib

from tools.fuzzing.target import Target

NAMES = (
    "framing",
    "record",
    "survey_config",
    "text_table",
    "parquet_table",
    "fits_table",
    "survey",
    "schema",
    "state",
    "model",
    "checkpoint",
    "version",
    "examples",
    "signatures",
    "curves",
    "options",
    "urls",
    "cluster",
)


def load_target(name: str) -> Target:
    """Imports a target's module, with all that it needs."""
    target: Target = importlib.import_module(f"tools.fuzzing.targets.{name}").TARGET
    return target
