"""TFX's DistributionValidator, in a form that runs on clusters, too."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.components.distribution_validator import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.proto import distribution_validator_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

_CONFIG = standard_component_specs.DISTRIBUTION_VALIDATOR_CONFIG_KEY


class Executor(executor.Executor):
    """Takes the configuration as JSON, too: compiled pipelines have parameters of no other kind."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> Any:
        """Compares the splits."""
        config = exec_properties.get(_CONFIG)
        if isinstance(config, str):
            parsed = distribution_validator_pb2.DistributionValidatorConfig()
            proto_utils.json_to_proto(config, parsed)
            exec_properties = {**exec_properties, _CONFIG: parsed}
        return super().Do(input_dict, output_dict, exec_properties)


class DistributionValidator(component.DistributionValidator):
    """As TFX's."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
