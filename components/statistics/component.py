"""StatisticsGen for SequenceExamples, with Beam only where it helps."""

from __future__ import annotations

from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts, standard_component_specs

from components.provenance import code_fingerprint
from components.statistics.executor import Executor


class StatisticsGenSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters."""

    PARAMETERS: ClassVar = {"code_fingerprint": component_spec.ExecutionParameter(type=str)}
    INPUTS: ClassVar = {
        standard_component_specs.EXAMPLES_KEY: component_spec.ChannelParameter(
            type=standard_artifacts.Examples
        )
    }
    OUTPUTS: ClassVar = {
        standard_component_specs.STATISTICS_KEY: component_spec.ChannelParameter(
            type=standard_artifacts.ExampleStatistics
        )
    }


class StatisticsGen(base_beam_component.BaseBeamComponent):
    """What TFX's StatisticsGen gives by default, for Examples of SequenceExamples.

    Args:
        examples: channel of Examples.

    Outputs:
        statistics: ExampleStatistics, one ``FeatureStats.pb`` for each split.
    """

    SPEC_CLASS = StatisticsGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, examples: types.BaseChannel):
        spec = StatisticsGenSpec(
            examples=examples,
            code_fingerprint=code_fingerprint(Executor.__module__),
            statistics=types.Channel(type=standard_artifacts.ExampleStatistics),
        )
        super().__init__(spec=spec)
