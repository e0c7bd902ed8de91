"""Component that checks every light curve and leaves out those that break a rule."""

from __future__ import annotations

import json
from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from astromer.records.config import LightCurveRules
from astromer.system.config import to_dict
from astromer.validation.config import ValidationConfig
from components import LightCurveAnomalies
from components.provenance import code_fingerprint
from components.validator.executor import Executor

_TEMPLATES = ("astromer/system/html/base.html", "astromer/validation/findings_page.html")


class LightCurveValidatorSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters."""

    PARAMETERS: ClassVar = {
        "settings": component_spec.ExecutionParameter(type=str),
        "report": component_spec.ExecutionParameter(type=str),
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)
    }
    OUTPUTS: ClassVar = {
        "valid_examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "anomalies": component_spec.ChannelParameter(type=LightCurveAnomalies),
    }


class LightCurveValidator(base_beam_component.BaseBeamComponent):
    """Validates light curves, as a Beam pipeline where Beam has several workers.

    Args:
        examples: channel of Examples of SequenceExamples, as FoldExampleGen makes them.
        validation: what becomes of light curves that break a rule.
        rules: the thresholds.
        report: folder that takes the findings where the run is stopped because of them, since
            TFX throws the outputs of a failed component away.

    Outputs:
        valid_examples: Examples without the rejected light curves: same splits, same order,
            same properties. ``data_fingerprint`` covers what was rejected, too.
        anomalies: LightCurveAnomalies.
    """

    SPEC_CLASS = LightCurveValidatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        *,
        validation: ValidationConfig,
        rules: LightCurveRules,
        report: str,
    ):
        settings = {"validation": to_dict(validation), "rules": to_dict(rules)}
        spec = LightCurveValidatorSpec(
            examples=examples,
            settings=json.dumps(settings, sort_keys=True),
            report=report,
            code_fingerprint=code_fingerprint(Executor.__module__, files=_TEMPLATES),
            valid_examples=types.Channel(type=standard_artifacts.Examples),
            anomalies=types.Channel(type=LightCurveAnomalies),
        )
        super().__init__(spec=spec)
