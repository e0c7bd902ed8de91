"""The component that stops a run before training when the data break the schema."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputDict,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils

from astromer.records.config import LightCurveRules
from astromer.serving.export import read_config
from astromer.system.errors import DataAnomalyError, ModelError
from astromer.system.storage import as_path
from astromer.validation.config import OFF, STOP
from astromer.validation.drift import data_drift
from astromer.validation.profile import TRAIN_PROFILE, read_train_profile
from components.anomaly_gate.findings import Finding, drift_findings, schema_findings

BASELINE_SPLIT = "train"
_MOST_FINDINGS = 3


@component
def AnomalyGate(
    examples: InputArtifact[standard_artifacts.Examples],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    drift: InputArtifact[standard_artifacts.ExampleAnomalies],
    rules: Parameter[str],
    data_drift_severity: Parameter[str],
    pushed_model: InputArtifact[standard_artifacts.Model] = None,
) -> OutputDict(findings=str):  # type: ignore[valid-type]
    """Raises on anomalies that matter, else returns those that are only worth a warning.

    Args:
        examples: what will be trained on, with the profiles that the validator writes.
        statistics: tells how many light curves each split has.
        anomalies: of ExampleValidator.
        drift: of DistributionValidator, every split against the training split.
        rules: JSON of a ``LightCurveRules``.
        data_drift_severity: "stop", "warn" or "off": what becomes of data unlike those of the
            pushed model.
        pushed_model: the last blessed model that was trained on other data.

    Returns:
        findings: JSON list of warnings.

    Raises:
        DataAnomalyError: naming split, feature and reason.
    """
    limits = LightCurveRules(**json.loads(rules))
    splits = artifact_utils.decode_split_names(anomalies.split_names)
    curves = {split: _num_curves(statistics, split) for split in splits}
    findings = []
    for split in splits:
        findings += schema_findings(as_path(anomalies.uri), split, limits)
        if split != BASELINE_SPLIT:
            smaller = min(curves[split], curves[BASELINE_SPLIT])
            findings += drift_findings(as_path(drift.uri), split, BASELINE_SPLIT, smaller)
    warnings: list[str] = []
    if pushed_model is not None and data_drift_severity != OFF:
        directory = as_path(path_utils.serving_model_path(pushed_model.uri))
        profile = read_train_profile(as_path(examples.uri))
        warnings = data_drift(profile, pushed_profile(directory), limits.max_split_distance)
        if data_drift_severity == STOP:
            findings += [Finding(BASELINE_SPLIT, (), text) for text in warnings]
    if findings:
        raise DataAnomalyError(_message(findings))
    return {"findings": json.dumps(warnings)}


def pushed_profile(model: Path) -> Mapping[str, Any] | None:
    """The profile of a model's training data; None where the model has none."""
    try:
        return read_config(model).get("metadata", {}).get(TRAIN_PROFILE)
    except ModelError:
        return None


def _num_curves(statistics: standard_artifacts.ExampleStatistics, split: str) -> int:
    view = stats_artifact_utils.load_statistics(statistics, split)
    return sum(dataset.num_examples for dataset in view.proto().datasets)


def _message(findings: list[Finding]) -> str:
    said = [str(finding) for finding in findings[:_MOST_FINDINGS]]
    rest = len(findings) - _MOST_FINDINGS
    more = f" And {rest} more." if rest > 0 else ""
    return (
        f"the light curves break the schema. {' '.join(said)}{more} Correct the records; the "
        "limits and their reasons are LightCurveRules in pipeline_config.py."
    )
