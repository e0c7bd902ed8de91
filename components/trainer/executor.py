"""Trainer executor that writes down on the artifacts how a model came about."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from tfx import types
from tfx.components.trainer import executor
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types import standard_component_specs

from astromer.system.cluster import in_cluster, leave
from astromer.system.config import to_dict
from astromer.system.errors import AstromerError
from astromer.system.storage import as_path
from astromer.system.text import printable
from astromer.training.config import DebugConfig, Hyperparameters
from components.knobs import from_properties
from components.provenance import DATA_FINGERPRINT, PROCESSING, flatten, set_property

TRAINING_FILE = "training.json"
"""Beside the SavedModel's folder in the Model artifact: see ``run_fn``."""


class Executor(executor.GenericExecutor):
    """Gathers the settings, and adds properties to the artifacts."""

    def _GetFnArgs(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> FnArgs:
        fn_args = super()._GetFnArgs(input_dict, output_dict, exec_properties)
        [examples] = input_dict[standard_component_specs.EXAMPLES_KEY]
        fingerprint = examples.get_string_custom_property(DATA_FINGERPRINT)
        processing = examples.get_string_custom_property(PROCESSING)
        fn_args.custom_config = {
            **settings_of(exec_properties),
            DATA_FINGERPRINT: fingerprint,
            PROCESSING: json.loads(processing or "{}"),
        }
        return fn_args

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains, then copies the facts of the training to the artifacts' properties.

        Raises:
            SystemExit: in a process that a cluster has started, instead of an AstromerError and
                with its exit code, from which Kubeflow sees whether to start the process again.
        """
        try:
            super().Do(input_dict, output_dict, exec_properties)
        except AstromerError as error:
            if not in_cluster():
                raise
            print(f"error: {printable(str(error))}", file=sys.stderr, flush=True)
            leave(error.exit_code)
        record_facts(output_dict)


def record_facts(output_dict: dict[str, list[types.Artifact]]) -> None:
    """Copies the facts of a training to the properties of its Model and ModelRun."""
    [model] = output_dict[standard_component_specs.MODEL_KEY]
    [model_run] = output_dict[standard_component_specs.MODEL_RUN_KEY]
    facts = json.loads((as_path(model.uri) / TRAINING_FILE).read_text())
    for name, value in flatten(facts).items():
        if isinstance(value, bool):
            value = str(value)
        set_property(model, name, value)
    for name in ("checkpoint_dir", "log_dir"):
        model_run.set_string_custom_property(name, facts[name])


def settings_of(exec_properties: dict[str, Any]) -> dict[str, Any]:
    """The settings of ``run_fn``, apart from the data: ``custom_config`` and the knobs.

    Raises:
        UsageError: for a value that a knob does not take.
    """
    settings = json.loads(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY])
    debug = DebugConfig(**settings.pop("debug"))
    config = from_properties(Hyperparameters, exec_properties)
    if config.training.debug:
        config = dataclasses.replace(config, training=debug.shortened(config.training))
    return {**settings, **to_dict(config)}
