"""Component that makes one HTML page about a run, whether or not its model was blessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from astromer.reports.config import ReportConfig
from astromer.system.config import to_dict
from astromer.system.environment import library_versions
from components import LightCurveAnomalies, RunReport
from components.provenance import code_fingerprint
from components.reporter.executor import Executor

_TEMPLATES = (
    "astromer/system/html/base.html",
    "astromer/reports/run_report.html",
    "astromer/validation/findings_page.html",
)
_DRAWN_WITH = ("matplotlib", "jinja2", "scikit-learn")


class ReporterSpec(component_spec.ComponentSpec):
    """Inputs, outputs and parameters."""

    PARAMETERS: ClassVar = {
        "title": component_spec.ExecutionParameter(type=str),
        "settings": component_spec.ExecutionParameter(type=str),
        "shelf": component_spec.ExecutionParameter(type=str),
        "probed": component_spec.ExecutionParameter(type=float),
        "same": component_spec.ExecutionParameter(type=float),
        "random": component_spec.ExecutionParameter(type=float),
        "seed": component_spec.ExecutionParameter(type=int),
        "code_fingerprint": component_spec.ExecutionParameter(type=str),
        "libraries": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "anomalies": component_spec.ChannelParameter(type=LightCurveAnomalies),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel),
    }
    OUTPUTS: ClassVar = {"report": component_spec.ChannelParameter(type=RunReport)}


class Reporter(base_component.BaseComponent):
    """Draws the page after the model was pushed, or not: it never keeps one from being pushed.

    Args:
        examples: channel of the Examples that the validator accepted.
        anomalies: of its findings.
        model, evaluation, blessing: of what was trained and evaluated.
        pushed_model: of what the Pusher did.
        title: what the model is called.
        shelf: folder that takes the report for users, in one subfolder for each version or run,
            and in ``latest``.
        masking: by name, ``probed``, ``same``, ``random`` and ``seed`` of the evaluation.
        report: how much is shown.

    Outputs:
        report: RunReport.
    """

    SPEC_CLASS = ReporterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        *,
        examples: types.BaseChannel,
        anomalies: types.BaseChannel,
        model: types.BaseChannel,
        evaluation: types.BaseChannel,
        blessing: types.BaseChannel,
        pushed_model: types.BaseChannel,
        title: str,
        shelf: str,
        masking: Mapping[str, Any],
        report: ReportConfig = ReportConfig(),
    ):
        spec = ReporterSpec(
            examples=examples,
            anomalies=anomalies,
            model=model,
            evaluation=evaluation,
            blessing=blessing,
            pushed_model=pushed_model,
            title=title,
            shelf=shelf,
            settings=json.dumps(to_dict(report), sort_keys=True),
            code_fingerprint=code_fingerprint(Executor.__module__, files=_TEMPLATES),
            # So that a page that was missed is made once they are installed.
            libraries=json.dumps(library_versions(_DRAWN_WITH)),
            report=types.Channel(type=RunReport),
            **masking,
        )
        super().__init__(spec=spec)
